"""An incident of this Argux as the folder of files that `argux investigate` reads."""
