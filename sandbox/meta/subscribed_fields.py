"""The values `subscribed_fields` takes, from the reference of v26.0 as far as it is listed."""

PAGE_FIELDS = frozenset(
    """
    affiliation agent_messages agent_questions attire awards bio birthday business_integrity
    call_permission_reply call_settings_update calls category checkins comment_poll_response
    company_overview conversations culinary_team current_location description email
    feature_access_list feed follow founded general_info general_manager group_feed hometown
    hours inbox_labels leadgen live_videos local_delivery location
    mention merchant_review message_context message_deliveries message_echoes message_edits
    message_mention message_reactions message_reads message_template_status_update messages
    messaging_account_linking messaging_appointments messaging_checkout_updates
    messaging_customer_information messaging_direct_sends messaging_feedback
    messaging_game_plays messaging_handovers messaging_in_thread_lead_form_submit
    messaging_integrity messaging_optins messaging_optouts messaging_payments
    messaging_policy_enforcement messaging_postbacks messaging_pre_checkouts messaging_referrals
    mission name page_about_story standby story_poll_response story_share user_action
    video_text_question_responses videos website
    """.split()  # noqa: SIM905 - a list of quoted words would hide the words
)
