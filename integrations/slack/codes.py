"""What each of Slack's error codes means for us: one table for all methods that Argux calls.

The codes are those of https://docs.slack.dev/reference/methods for chat.postMessage, chat.update, chat.postEphemeral,
files.getUploadURLExternal, files.completeUploadExternal, views.open, views.update, users.info, conversations.list,
conversations.history, conversations.replies, conversations.open, auth.test and auth.teams.list.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto


class Meaning(Enum):
    """What to do about a refusal."""

    PASSES = auto()
    """Wait: it ends by itself."""
    ACCOUNT = auto()
    """A person must mend the token or the app. Every channel is concerned."""
    CHANNEL = auto()
    """A person must mend the channel, or what the app may do there."""
    MESSAGE_GONE = auto()
    """The message to edit or to answer was deleted: post anew."""
    NOT_EDITABLE = auto()
    """The message stands and cannot be edited: go on in the thread."""
    NO_THREAD = auto()
    """The message stands and cannot be answered: go on in the channel."""
    CONTENT = auto()
    """What was sent is refused: send it plainer."""
    NOT_FOUND = auto()
    """A person, a dialog or a file that is not there."""
    REFUSED = auto()
    """This call is refused, and no other way is known: also what every unknown code means."""


_INVITE = "invite Argux in the channel with /invite @Argux"
_COPY = "copy the bot token again from api.slack.com/apps and set SLACK_BOT_TOKEN"
_INSTALL = "install the app again at api.slack.com/apps, and set SLACK_BOT_TOKEN to its new token"
_ADMIN = "ask an administrator of the workspace to allow the app to post there"
_CHANNEL = "check SLACK_CHANNEL, and invite Argux there with /invite @Argux"
_ARCHIVED = "unarchive the channel, or set SLACK_CHANNEL to another one"
_WORKSPACE = "add the app to the workspace of the channel"

REMEDIES: Mapping[str, str] = {
    "access_denied": _ADMIN,
    "accesslimited": "allow this machine's address in the workspace's list of networks",
    "account_inactive": _INSTALL,
    "app_access_restricted": _ADMIN,
    "as_user_not_supported": _INSTALL,
    "channel_is_archived": _ARCHIVED,
    "channel_is_limited_access": _INVITE,
    "channel_not_found": _CHANNEL,
    "deprecated_endpoint": "upgrade Argux",
    "ekm_access_denied": "ask an administrator of the workspace to end the suspension of the encryption key",
    "enterprise_is_restricted": _ADMIN,
    "invalid_auth": _COPY,
    "invalid_channel": _CHANNEL,
    "is_archived": _ARCHIVED,
    "is_bot": _COPY,
    "is_inactive": _ARCHIVED,
    "message_limit_exceeded": "the workspace's plan has reached its limit of messages; raise it",
    "messages_tab_disabled": "turn on the Messages tab under App Home at api.slack.com/apps",
    "method_deprecated": "upgrade Argux",
    "method_not_supported_for_channel_type": _CHANNEL,
    "missing_scope": "add the scope at api.slack.com/apps, and install the app again",
    "no_permission": _INVITE,
    "not_allowed_token_type": "set SLACK_BOT_TOKEN to the bot token, which begins with xoxb-",
    "not_authed": _COPY,
    "not_in_channel": _INVITE,
    "posting_to_channel_denied": _ADMIN,
    "posting_to_general_channel_denied": _ADMIN,
    "restricted_action": _ADMIN,
    "restricted_action_read_only_channel": _ADMIN,
    "restricted_action_thread_only_channel": "set SLACK_CHANNEL to a channel that takes messages outside threads",
    "team_access_not_granted": _WORKSPACE,
    "team_not_found": _WORKSPACE,
    "token_expired": _INSTALL,
    "token_revoked": _INSTALL,
    "two_factor_setup_required": "set up two-factor authentication for the account that installed the app",
    "unknown_method": "upgrade Argux",
}
"""How a person mends what the code names."""

_CODES: Mapping[Meaning, str] = {
    Meaning.PASSES: """
        ratelimited rate_limited internal_error fatal_error service_unavailable request_timeout team_added_to_org
        org_login_required external_channel_migrating update_failed streaming_state_conflict file_update_failed
        migration_in_progress service_timeout
    """,
    Meaning.ACCOUNT: """
        invalid_auth not_authed account_inactive token_revoked token_expired missing_scope not_allowed_token_type
        accesslimited access_denied ekm_access_denied enterprise_is_restricted two_factor_setup_required is_bot
        message_limit_exceeded method_deprecated deprecated_endpoint unknown_method as_user_not_supported
        app_access_restricted
    """,
    Meaning.CHANNEL: """
        channel_not_found not_in_channel is_archived channel_is_archived is_inactive invalid_channel no_permission
        restricted_action restricted_action_read_only_channel restricted_action_thread_only_channel
        posting_to_channel_denied posting_to_general_channel_denied team_access_not_granted team_not_found
        messages_tab_disabled method_not_supported_for_channel_type channel_is_limited_access
    """,
    Meaning.MESSAGE_GONE: "message_not_found thread_not_found invalid_thread_ts invalid_ts_latest invalid_ts_oldest",
    Meaning.NOT_EDITABLE: """
        cant_update_message edit_window_closed cant_broadcast_message block_mismatch no_dual_broadcast_content_update
    """,
    Meaning.NO_THREAD: """
        cannot_reply_to_message restricted_action_thread_locked restricted_action_non_threadable_channel thread_locked
    """,
    Meaning.CONTENT: """
        msg_too_long msg_blocks_too_long invalid_blocks invalid_blocks_format invalid_attachments too_many_attachments
        attachment_payload_limit_exceeded too_many_contact_cards no_text invalid_metadata_format
        invalid_metadata_schema metadata_too_large metadata_must_be_sent_from_app markdown_text_conflict
        slack_connect_file_link_sharing_blocked slack_connect_canvas_sharing_blocked
        slack_connect_lists_sharing_blocked slack_connect_blocked_file_type invalid_arguments invalid_arg_name
        invalid_array_arg invalid_charset invalid_form_data invalid_post_type missing_post_type invalid_json
        json_not_object file_not_found file_deleted file_is_deleted file_share_limit_reached max_file_sharing_exceeded
        unable_to_share_files blocked_file_type missing_file_data slack_connect_clip_sharing_blocked
        slack_connect_file_upload_sharing_blocked view_too_large alt_txt_too_large
    """,
    Meaning.NOT_FOUND: """
        not_found user_not_found user_not_visible user_disabled user_not_in_channel users_not_found
        cannot_dm_bot
    """,
}

MEANINGS: Mapping[str, Meaning] = {code: meaning for meaning, codes in _CODES.items() for code in codes.split()}
"""The meaning of every code that is not simply refused."""


def meaning_of(code: str) -> Meaning:
    """Return what a code means; an unknown one is a refusal of this call, which is never taken for success."""
    return MEANINGS.get(code, Meaning.REFUSED)
