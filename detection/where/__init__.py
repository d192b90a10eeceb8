"""In which combination of dimension values was conversion lost?"""
