"""The weights of the checks' answers (natural logarithms of likelihood ratios), and the priors of the hypotheses.

A weight of 2 means: this answer is e^2 = 7 times likelier if the hypothesis is true than if it is false (I. J. Good,
"Probability and the Weighing of Evidence", 1950). The weights are judgements. They are small because checks on the same
telemetry are not independent; calibration on past incidents corrects the rest. detection.causes limits a weight to +-3
and halves each further weight of the same sign from one source.

The prior of a deploy uses its age in hours; the timing check uses the minutes between the deploy and the onset. So the
same fact is not counted twice.
"""

from __future__ import annotations

# Priors, before normalisation.
DEPLOY_PRIOR = 1.0
DEPLOY_HALF_LIFE_HOURS = 6.0
GROWING_HALF_LIFE_HOURS = 48.0
DEPLOY_AFTER_ONSET_PRIOR = 0.005
SEGMENT_PRIOR = 0.15
MIX_PRIOR = 0.5
UNKNOWN_PRIOR = 0.5
N_PLUS_ONE_PRIOR = 0.3
N_PLUS_ONE_PRIOR_WITH_QUERIES = 0.6

# The time of a deploy relative to the onset.
DEPLOY_AT_ONSET = 1.2
DEPLOY_SOON_BEFORE_ONSET = 0.0
DEPLOY_SERVED_WELL_BEFORE_ONSET = -1.8
DEPLOY_AFTER_ONSET = -3.0

# The metric of the deploy's version, compared with other versions.
ONLY_THIS_VERSION_BAD = 1.3
ONLY_THIS_VERSION_BAD_IN_THE_SAME_MINUTES = 2.0
VERSION_FINE = -2.5
VERSION_ABSENT_DURING = -2.5
OTHER_VERSIONS_AS_BAD = -2.0

# N+1: queries per request, and one statement repeated.
QUERIES_RAISED = 2.0
QUERIES_UNCHANGED = -2.5
STATEMENT_REPEATED_NEWLY = 3.0
STATEMENT_REPEATED_AS_BEFORE = -1.0
NO_STATEMENT_REPEATED = -3.0

# A deploy's commits as a whole.
STATEMENT_IN_DIFF = 3.0
TABLES_IN_DIFF = 0.7
STATEMENT_NOT_IN_DIFF = -0.5
ROUTE_IN_DIFF = 0.5
ROUTE_NOT_IN_DIFF = -0.3
NOTHING_BUT_TEXT = -3.0

# One commit, compared with the other commits of its deploy.
COMMIT_ADDS_STATEMENT = 5.0
COMMIT_MOVES_STATEMENT = 3.0
COMMIT_BESIDE_LOOP = 0.7
COMMIT_NAMES_TABLES = 1.5
COMMIT_TOUCHES_ROUTE = 1.2
COMMIT_ONLY_TEXT = -3.0
COMMIT_REPEATS_OTHERS = -4.0

# A segment, compared with all entries.
SEGMENT_CARRIES_THE_DROP = 2.5
SEGMENTS_ALL_ALIKE = -2.5

# A changed mix of users.
MIX_EXPLAINS_THE_DROP = 3.0
MIX_DOES_NOT = -3.0
EVERY_KIND_CONVERTS_AS_BEFORE = -3.0

# Evidence for or against an unknown cause.
TRAFFIC_UNCHANGED = -0.4
TRAFFIC_RISEN = 0.8
TRAFFIC_FALLEN = 0.0
OTHER_ENDPOINTS_UNAFFECTED = -0.3
OTHER_ENDPOINTS_AFFECTED = 0.6

# Thresholds on posteriors. A confidence is never above MOST_CONFIDENT: the weights are judgements.
CONFIRMED_AT = 0.6
REJECTED_AT = 0.05
MOST_CONFIDENT = 0.99
COMMIT_NAMED_ABOVE = 0.5
COMMIT_REVERTED_ALONE_AT = 0.8

# Causes that no change is behind: priors before normalisation, and what their checks say.
THIRD_PARTY_PRIOR = 0.25
CALLS_TO_IT_FAIL = 3.0
SOME_CALLS_TO_IT_FAIL = 0.8
OUTSIDE_METRIC_FIRST = 1.0
FEED_TELLS_OF_IT = 3.0
FEED_TELLS_OF_NONE = -1.0
CERTIFICATE_PRIOR = 0.1
LINES_SAY_EXPIRED = 3.0
COUNTDOWN_ENDED = 3.0
VALID_UNTIL_THE_ONSET = 2.0
CREDENTIAL_PRIOR = 0.15
CREDENTIAL_ENDED = 3.0
CREDENTIAL_REFUSED = 2.0
NETWORK_PRIOR = 0.15
NETWORK_IN_SEVERAL = 3.0
NETWORK_IN_ONE = 1.0
NO_WAY_MOSTLY = 2.5
SEVERAL_NAMES_FAIL = 1.5
NODE_PRIOR = 0.1
SURROUNDINGS_PRIOR = 0.15
SURROUNDINGS_SAID = 3.0
SURROUNDINGS_SAID_BESIDE = 1.0
NODE_EVENTS = 2.0
SAME_NODE_ALIKE = 2.0
NODE_USED_UP_BY_A_GUEST = -0.8
NODE_FULL = 2.5
FAILED_FIRST = 1.0
MAINTENANCE_PRIOR = 0.15
MAINTENANCE_SAID = 3.0
SWITCHED_OVER = 2.0
BROUGHT_DOWN = 0.5
SURGE_PRIOR = 0.15
TRAFFIC_ROSE_FIRST = 1.5
TRAFFIC_ROSE_LATER = -1.5
TRAFFIC_ROSE_ALIKE = 3.0
TRAFFIC_ROSE_IN_SOME = -2.5
TRAFFIC_ROSE_ON_ONE_ROUTE = 0.8
STRANGERS_ONLY = 2.5
TRAFFIC_FROM_RETRIES = -1.5
CAPACITY_PRIOR = 0.15
FULL_FIRST = 2.0
FULL_LATER = -1.5
CLIMBED_UNTIL_FULL = 1.5
BAD_DATA_PRIOR = 0.15
POISON_SAID = 2.5
CANNOT_BE_READ = 1.2
ONE_RECORD = 2.0
SCHEDULED_JOB_PRIOR = 0.15
JOB_AT_ONSET = 1.5
JOB_ELSEWHERE = -1.0
JOBS_AT_ONCE = 1.0

# What a change can do, against what is seen. A fit is from 0, nothing of it shows, to 1.
CHANGE_INERT = -3.0
CHANGE_PROBABLY_INERT = -1.2
CHANGE_FITS_NOTHING = -1.8
CHANGE_UNREAD_FITS_NOTHING = -0.6
CHANGE_UNREAD_AMONG_READ = 0.5
CHANGE_TAKES_ANOTHER_BACK = -1.2
CHANGE_FITS = 3.0
CHANGE_ELSEWHERE = -2.5
CHANGE_WHERE_IT_BEGAN = 1.5
CHANGE_IN_A_HOLDER = 3.0
CHANGE_IN_A_VICTIM = -2.0
CHANGE_IN_ONE_THAT_FAILED_LATER = -1.0
ANOTHER_FAILS_ALIKE = -1.0
OTHERS_FAIL_ALIKE = -2.0
ANOTHER_REASON_SAID = -1.5
ANOTHER_COMPANY_FAILS = -2.5
NOBODY_LISTENS = -2.0
TRAJECTORY_FITS_AT_MOST = 1.5
TRAJECTORY_DENIES_AT_MOST = -3.0
MISSED_AT_THE_PEAK = 1.0
GROWS_ALL_ALONG = 1.0
ROOM_WAS_TAKEN = -2.0
COMMIT_WITHOUT_DEPLOY_PRIOR = 0.3
FLAG_PRIOR = 0.15
FLAG_OF_NEW_CODE_PRIOR = 0.5
FLAG_THAT_NOTHING_NAMES = -0.9

# What log lines that nobody has may add for a change whose text they would fit.
LINES_MAY_FIT = 1.0

# Below this, all changes together are unlikely enough to say that none of them did it.
NO_CHANGE_AT = 0.1

# Mechanisms: how it does harm. They are told where they are likely, and change no origin.
MECHANISM_PRIOR = 0.3
QUERIES_SLOWED = 2.0
QUERIES_SAID_SLOW = 1.5
ERROR_IS_NEW = 2.5
ERROR_SPIKES = 1.8
CRASHES_FIRST = 1.0
RETRIES_AFTER_CALLEE = 1.2
RETRIES_BEFORE_CALLEE = -2.0
CALLS_MULTIPLIED = 1.5
CALLS_ROSE_AS_REQUESTS = -1.5
CACHE_ANSWERS_LESS = 0.8
LOAD_AFTER_MISSES = 1.5
LOAD_BEFORE_MISSES = -2.5
AT_ITS_LIMIT = 2.5
LINES_SAY_FULL = 2.0

# Partial answers, and what earlier days and incidents say. They must stay below a change that fits.
KNOWN_INCIDENT_PRIOR = 0.08
KNOWN_INCIDENT_ALIKE = 2.5
KNOWN_CAUSE_IN_LINES = 1.0
DOWNSTREAM_PRIOR = 0.08
DOWNSTREAM_FIRST = 3.0
DOWNSTREAM_UNEXPLAINED = 0.7
TIME_OF_DAY_PRIOR = 0.1
SAME_HOUR_BEFORE = 2.5

# Nothing is wrong: the alert's own metric, and what is around it.
NO_FAULT_PRIOR = 0.3
ALERTED_ON_ITS_COURSE = 2.5
ALERTED_IS_BACK = 1.5
NO_HARM_SEEN = 2.0
HARM_SEEN = -2.5

# A deploy or a flag that nobody told Argux about, as part of what it cannot see.
UNSEEN_DEPLOY_PRIOR = 0.15
UNSEEN_FLAG_PRIOR = 0.1

# The highest confidence in a change for which nothing but its time and its place speaks.
ONLY_TIME_AND_PLACE = 0.55

# The same where its text was read: the highest confidence if that text says little, and the weight of a text from which
# on it bounds nothing.
TEXT_SAYS_LITTLE = 0.6
TEXT_IS_ENOUGH = 0.8

# "No change did it": how much of the probability of a cause counts for it, with no change doubted for a reason, and how
# much is added where every one is. What ran out may have been used up by a change; the unknown may be one.
RAN_OUT_COUNTS, RAN_OUT_ADDS = 0.7, 0.3
OPEN_COUNTS, OPEN_ADDS = 0.4, 0.3
A_REASON_TO_DOUBT = -1.0
