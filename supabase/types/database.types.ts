// Written by `make types` from the migrated schema.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
  
  "public": {
          Tables: {
            "accounts": {
                  Row: {
                    "active": boolean,"code": string,"created_at": string,"id": string,"kind": string,"name": string,"org_id": string,"role": string | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "active"?: boolean,"code": string,"created_at"?: string,"id"?: string,"kind": string,"name": string,"org_id": string,"role"?: string | null,"updated_at"?: string
                  }
                  Update: {
                    "active"?: boolean,"code"?: string,"created_at"?: string,"id"?: string,"kind"?: string,"name"?: string,"org_id"?: string,"role"?: string | null,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "accounts_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"addresses": {
                  Row: {
                    "city": string | null,"country": string,"created_at": string,"created_by": string | null,"customer_id": string,"id": string,"kind": string,"line1": string,"line2": string | null,"org_id": string,"place_id": string | null,"postal_code": string | null,"region": string | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "city"?: string | null,"country": string,"created_at"?: string,"created_by"?: string | null,"customer_id": string,"id"?: string,"kind"?: string,"line1": string,"line2"?: string | null,"org_id": string,"place_id"?: string | null,"postal_code"?: string | null,"region"?: string | null,"updated_at"?: string
                  }
                  Update: {
                    "city"?: string | null,"country"?: string,"created_at"?: string,"created_by"?: string | null,"customer_id"?: string,"id"?: string,"kind"?: string,"line1"?: string,"line2"?: string | null,"org_id"?: string,"place_id"?: string | null,"postal_code"?: string | null,"region"?: string | null,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "addresses_customer_fkey"
      columns: ["org_id","customer_id"]
isOneToOne: false
      referencedRelation: "customers"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"attachments": {
                  Row: {
                    "created_at": string,"error_code": string | null,"file_name": string | null,"id": string,"kind": string,"message_id": string,"mime_type": string | null,"org_id": string,"position": number,"provider": string,"sha256": string | null,"size_bytes": number | null,"state": string,"storage_path": string | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"error_code"?: string | null,"file_name"?: string | null,"id"?: string,"kind": string,"message_id": string,"mime_type"?: string | null,"org_id": string,"position"?: number,"provider": string,"sha256"?: string | null,"size_bytes"?: number | null,"state"?: string,"storage_path"?: string | null,"updated_at"?: string
                  }
                  Update: {
                    "created_at"?: string,"error_code"?: string | null,"file_name"?: string | null,"id"?: string,"kind"?: string,"message_id"?: string,"mime_type"?: string | null,"org_id"?: string,"position"?: number,"provider"?: string,"sha256"?: string | null,"size_bytes"?: number | null,"state"?: string,"storage_path"?: string | null,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "attachments_message_fkey"
      columns: ["org_id","message_id","provider"]
isOneToOne: false
      referencedRelation: "messages"
      referencedColumns: ["org_id","id","provider"]
    }
                  ]
                },"billing_accounts": {
                  Row: {
                    "billing_email": string | null,"created_at": string,"customer_key": string,"org_id": string,"stripe_customer_id": string | null,"synced_at": string | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "billing_email"?: string | null,"created_at"?: string,"customer_key"?: string,"org_id": string,"stripe_customer_id"?: string | null,"synced_at"?: string | null,"updated_at"?: string
                  }
                  Update: {
                    "billing_email"?: string | null,"created_at"?: string,"customer_key"?: string,"org_id"?: string,"stripe_customer_id"?: string | null,"synced_at"?: string | null,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "billing_accounts_org_fkey"
      columns: ["org_id"]
isOneToOne: true
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"billing_invoices": {
                  Row: {
                    "amount_due_minor": number,"amount_paid_minor": number,"attempt_count": number,"created_at": string,"currency": string,"hosted_invoice_url": string | null,"id": string,"invoice_pdf_url": string | null,"issued_at": string | null,"next_attempt_at": string | null,"number": string | null,"org_id": string,"period_end": string | null,"period_start": string | null,"status": string,"stripe_invoice_id": string,"subscription_id": string | null,"synced_at": string,"total_minor": number | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "amount_due_minor": number,"amount_paid_minor"?: number,"attempt_count"?: number,"created_at"?: string,"currency": string,"hosted_invoice_url"?: string | null,"id"?: string,"invoice_pdf_url"?: string | null,"issued_at"?: string | null,"next_attempt_at"?: string | null,"number"?: string | null,"org_id": string,"period_end"?: string | null,"period_start"?: string | null,"status": string,"stripe_invoice_id": string,"subscription_id"?: string | null,"synced_at"?: string,"total_minor"?: number | null,"updated_at"?: string
                  }
                  Update: {
                    "amount_due_minor"?: number,"amount_paid_minor"?: number,"attempt_count"?: number,"created_at"?: string,"currency"?: string,"hosted_invoice_url"?: string | null,"id"?: string,"invoice_pdf_url"?: string | null,"issued_at"?: string | null,"next_attempt_at"?: string | null,"number"?: string | null,"org_id"?: string,"period_end"?: string | null,"period_start"?: string | null,"status"?: string,"stripe_invoice_id"?: string,"subscription_id"?: string | null,"synced_at"?: string,"total_minor"?: number | null,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "billing_invoices_account_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "billing_accounts"
      referencedColumns: ["org_id"]
    },{
      foreignKeyName: "billing_invoices_subscription_fkey"
      columns: ["org_id","subscription_id"]
isOneToOne: false
      referencedRelation: "subscriptions"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"billing_requests": {
                  Row: {
                    "created_at": string,"error": string | null,"expires_at": string | null,"id": string,"kind": string,"org_id": string,"plan": string | null,"requested_by": string | null,"state": string,"stripe_session_id": string | null,"updated_at": string,"url": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"error"?: string | null,"expires_at"?: string | null,"id"?: string,"kind": string,"org_id": string,"plan"?: string | null,"requested_by"?: string | null,"state"?: string,"stripe_session_id"?: string | null,"updated_at"?: string,"url"?: string | null
                  }
                  Update: {
                    "created_at"?: string,"error"?: string | null,"expires_at"?: string | null,"id"?: string,"kind"?: string,"org_id"?: string,"plan"?: string | null,"requested_by"?: string | null,"state"?: string,"stripe_session_id"?: string | null,"updated_at"?: string,"url"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "billing_requests_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "billing_requests_plan_fkey"
      columns: ["plan"]
isOneToOne: false
      referencedRelation: "plans"
      referencedColumns: ["plan"]
    }
                  ]
                },"call_actions": {
                  Row: {
                    "action": string,"call_id": string,"created_at": string,"error_code": string | null,"error_detail": string | null,"id": string,"org_id": string,"provider": string,"requested_by": string | null,"state": string,"target_number": string | null,"target_user": string | null,"tried_at": string | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "action": string,"call_id": string,"created_at"?: string,"error_code"?: string | null,"error_detail"?: string | null,"id"?: string,"org_id": string,"provider"?: string,"requested_by"?: string | null,"state"?: string,"target_number"?: string | null,"target_user"?: string | null,"tried_at"?: string | null,"updated_at"?: string
                  }
                  Update: {
                    "action"?: string,"call_id"?: string,"created_at"?: string,"error_code"?: string | null,"error_detail"?: string | null,"id"?: string,"org_id"?: string,"provider"?: string,"requested_by"?: string | null,"state"?: string,"target_number"?: string | null,"target_user"?: string | null,"tried_at"?: string | null,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "call_actions_call_fkey"
      columns: ["org_id","call_id","provider"]
isOneToOne: false
      referencedRelation: "calls"
      referencedColumns: ["org_id","id","provider"]
    }
                  ]
                },"call_recordings": {
                  Row: {
                    "call_id": string,"created_at": string,"deleted_by": string | null,"error_code": string | null,"external_id": string,"id": string,"org_id": string,"provider": string,"recorded_at": string,"size_bytes": number | null,"state": string,"storage_path": string | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "call_id": string,"created_at"?: string,"deleted_by"?: string | null,"error_code"?: string | null,"external_id": string,"id"?: string,"org_id": string,"provider"?: string,"recorded_at": string,"size_bytes"?: number | null,"state"?: string,"storage_path"?: string | null,"updated_at"?: string
                  }
                  Update: {
                    "call_id"?: string,"created_at"?: string,"deleted_by"?: string | null,"error_code"?: string | null,"external_id"?: string,"id"?: string,"org_id"?: string,"provider"?: string,"recorded_at"?: string,"size_bytes"?: number | null,"state"?: string,"storage_path"?: string | null,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "call_recordings_call_fkey"
      columns: ["org_id","call_id","provider"]
isOneToOne: false
      referencedRelation: "calls"
      referencedColumns: ["org_id","id","provider"]
    }
                  ]
                },"calling_tokens": {
                  Row: {
                    "created_at": string,"error_code": string | null,"expires_at": string,"external_id": string | null,"id": string,"integration_id": string,"nonce": string | null,"org_id": string,"provider": string,"public_key": string,"sealed": string | null,"sip_username": string | null,"state": string,"user_id": string,"wrapped_key": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"error_code"?: string | null,"expires_at"?: string,"external_id"?: string | null,"id"?: string,"integration_id": string,"nonce"?: string | null,"org_id": string,"provider"?: string,"public_key": string,"sealed"?: string | null,"sip_username"?: string | null,"state"?: string,"user_id": string,"wrapped_key"?: string | null
                  }
                  Update: {
                    "created_at"?: string,"error_code"?: string | null,"expires_at"?: string,"external_id"?: string | null,"id"?: string,"integration_id"?: string,"nonce"?: string | null,"org_id"?: string,"provider"?: string,"public_key"?: string,"sealed"?: string | null,"sip_username"?: string | null,"state"?: string,"user_id"?: string,"wrapped_key"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "calling_tokens_integration_fkey"
      columns: ["org_id","integration_id","provider"]
isOneToOne: false
      referencedRelation: "integrations"
      referencedColumns: ["org_id","id","provider"]
    }
                  ]
                },"calls": {
                  Row: {
                    "answered_at": string | null,"cause": string | null,"channel_id": string,"client_key": string | null,"conversation_id": string | null,"created_at": string,"direction": string,"ended_at": string | null,"external_control_id": string | null,"external_id": string | null,"external_session_id": string | null,"from_number": string | null,"handled_by": string | null,"held_at": string | null,"id": string,"org_id": string,"provider": string,"started_at": string,"state": string,"to_number": string | null,"tried_at": string | null,"updated_at": string,"voicemail": boolean,"voicemail_at": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "answered_at"?: string | null,"cause"?: string | null,"channel_id": string,"client_key"?: string | null,"conversation_id"?: string | null,"created_at"?: string,"direction": string,"ended_at"?: string | null,"external_control_id"?: string | null,"external_id"?: string | null,"external_session_id"?: string | null,"from_number"?: string | null,"handled_by"?: string | null,"held_at"?: string | null,"id"?: string,"org_id": string,"provider"?: string,"started_at"?: string,"state": string,"to_number"?: string | null,"tried_at"?: string | null,"updated_at"?: string,"voicemail"?: boolean,"voicemail_at"?: string | null
                  }
                  Update: {
                    "answered_at"?: string | null,"cause"?: string | null,"channel_id"?: string,"client_key"?: string | null,"conversation_id"?: string | null,"created_at"?: string,"direction"?: string,"ended_at"?: string | null,"external_control_id"?: string | null,"external_id"?: string | null,"external_session_id"?: string | null,"from_number"?: string | null,"handled_by"?: string | null,"held_at"?: string | null,"id"?: string,"org_id"?: string,"provider"?: string,"started_at"?: string,"state"?: string,"to_number"?: string | null,"tried_at"?: string | null,"updated_at"?: string,"voicemail"?: boolean,"voicemail_at"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "calls_channel_fkey"
      columns: ["org_id","channel_id","provider"]
isOneToOne: false
      referencedRelation: "channels"
      referencedColumns: ["org_id","id","provider"]
    },{
      foreignKeyName: "calls_conversation_fkey"
      columns: ["org_id","conversation_id","channel_id","provider"]
isOneToOne: false
      referencedRelation: "conversations"
      referencedColumns: ["org_id","id","channel_id","provider"]
    }
                  ]
                },"channels": {
                  Row: {
                    "created_at": string,"external_id": string,"human_agent": boolean,"id": string,"integration_id": string,"name": string,"org_id": string,"provider": string,"status": string,"sync_since": string | null,"sync_state": string,"synced_at": string | null,"synced_messages": number,"synced_threads": number,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"external_id": string,"human_agent"?: boolean,"id"?: string,"integration_id": string,"name": string,"org_id": string,"provider": string,"status"?: string,"sync_since"?: string | null,"sync_state"?: string,"synced_at"?: string | null,"synced_messages"?: number,"synced_threads"?: number,"updated_at"?: string
                  }
                  Update: {
                    "created_at"?: string,"external_id"?: string,"human_agent"?: boolean,"id"?: string,"integration_id"?: string,"name"?: string,"org_id"?: string,"provider"?: string,"status"?: string,"sync_since"?: string | null,"sync_state"?: string,"synced_at"?: string | null,"synced_messages"?: number,"synced_threads"?: number,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "channels_integration_fkey"
      columns: ["org_id","integration_id","provider"]
isOneToOne: false
      referencedRelation: "integrations"
      referencedColumns: ["org_id","id","provider"]
    }
                  ]
                },"consents": {
                  Row: {
                    "granted_at": string,"granted_by": string | null,"id": string,"live": boolean | null,"notice_sha256": string,"org_id": string,"policy_version": string,"provider": string,"purpose": string,"scopes": (string)[],"withdrawn_at": string | null,"withdrawn_by": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "granted_at"?: string,"granted_by"?: string | null,"id"?: string,"live"?: never,"notice_sha256": string,"org_id": string,"policy_version": string,"provider": string,"purpose": string,"scopes"?: (string)[],"withdrawn_at"?: string | null,"withdrawn_by"?: string | null
                  }
                  Update: {
                    "granted_at"?: string,"granted_by"?: string | null,"id"?: string,"live"?: never,"notice_sha256"?: string,"org_id"?: string,"policy_version"?: string,"provider"?: string,"purpose"?: string,"scopes"?: (string)[],"withdrawn_at"?: string | null,"withdrawn_by"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "consents_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"contact_points": {
                  Row: {
                    "created_at": string,"created_by": string | null,"customer_id": string,"id": string,"is_primary": boolean,"kind": string,"label": string | null,"org_id": string,"updated_at": string,"value": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"created_by"?: string | null,"customer_id": string,"id"?: string,"is_primary"?: boolean,"kind": string,"label"?: string | null,"org_id": string,"updated_at"?: string,"value": string
                  }
                  Update: {
                    "created_at"?: string,"created_by"?: string | null,"customer_id"?: string,"id"?: string,"is_primary"?: boolean,"kind"?: string,"label"?: string | null,"org_id"?: string,"updated_at"?: string,"value"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "contact_points_customer_fkey"
      columns: ["org_id","customer_id"]
isOneToOne: false
      referencedRelation: "customers"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"conversations": {
                  Row: {
                    "channel_id": string,"contact_checked_at": string | null,"contact_external_id": string,"contact_name": string | null,"created_at": string,"customer_id": string | null,"delivered_until": string | null,"id": string,"last_inbound_at": string | null,"last_message_at": string | null,"org_id": string,"provider": string,"read_until": string | null,"reply_until": string | null,"status": string,"unread_count": number,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "channel_id": string,"contact_checked_at"?: string | null,"contact_external_id": string,"contact_name"?: string | null,"created_at"?: string,"customer_id"?: string | null,"delivered_until"?: string | null,"id"?: string,"last_inbound_at"?: string | null,"last_message_at"?: string | null,"org_id": string,"provider": string,"read_until"?: string | null,"reply_until"?: string | null,"status"?: string,"unread_count"?: number,"updated_at"?: string
                  }
                  Update: {
                    "channel_id"?: string,"contact_checked_at"?: string | null,"contact_external_id"?: string,"contact_name"?: string | null,"created_at"?: string,"customer_id"?: string | null,"delivered_until"?: string | null,"id"?: string,"last_inbound_at"?: string | null,"last_message_at"?: string | null,"org_id"?: string,"provider"?: string,"read_until"?: string | null,"reply_until"?: string | null,"status"?: string,"unread_count"?: number,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "conversations_channel_fkey"
      columns: ["org_id","channel_id","provider"]
isOneToOne: false
      referencedRelation: "channels"
      referencedColumns: ["org_id","id","provider"]
    },{
      foreignKeyName: "conversations_customer_fkey"
      columns: ["org_id","customer_id"]
isOneToOne: false
      referencedRelation: "customers"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"customers": {
                  Row: {
                    "company_name": string | null,"created_at": string,"created_by": string | null,"display_name": string,"family_name": string | null,"given_name": string | null,"id": string,"kind": string,"locale": string | null,"org_id": string,"search_words": string | null,"status": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "company_name"?: string | null,"created_at"?: string,"created_by"?: string | null,"display_name": string,"family_name"?: string | null,"given_name"?: string | null,"id"?: string,"kind"?: string,"locale"?: string | null,"org_id": string,"search_words"?: never,"status"?: string,"updated_at"?: string
                  }
                  Update: {
                    "company_name"?: string | null,"created_at"?: string,"created_by"?: string | null,"display_name"?: string,"family_name"?: string | null,"given_name"?: string | null,"id"?: string,"kind"?: string,"locale"?: string | null,"org_id"?: string,"search_words"?: never,"status"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "customers_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"data_exports": {
                  Row: {
                    "created_at": string,"error": string | null,"expires_at": string | null,"id": string,"org_id": string,"ready_at": string | null,"request_id": string,"sha256": string | null,"size_bytes": number | null,"state": string,"storage_path": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"error"?: string | null,"expires_at"?: string | null,"id"?: string,"org_id": string,"ready_at"?: string | null,"request_id": string,"sha256"?: string | null,"size_bytes"?: number | null,"state"?: string,"storage_path"?: string | null
                  }
                  Update: {
                    "created_at"?: string,"error"?: string | null,"expires_at"?: string | null,"id"?: string,"org_id"?: string,"ready_at"?: string | null,"request_id"?: string,"sha256"?: string | null,"size_bytes"?: number | null,"state"?: string,"storage_path"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "data_exports_request_fkey"
      columns: ["org_id","request_id"]
isOneToOne: false
      referencedRelation: "privacy_requests"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"integrations": {
                  Row: {
                    "account_name": string | null,"connected_at": string | null,"consent_id": string | null,"consent_live": boolean | null,"created_at": string,"created_by": string | null,"disconnected_at": string | null,"error": string | null,"external_account_id": string | null,"id": string,"last_synced_at": string | null,"offered_account_id": string | null,"offered_account_name": string | null,"org_id": string,"provider": string,"scopes": (string)[],"status": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "account_name"?: string | null,"connected_at"?: string | null,"consent_id"?: string | null,"consent_live"?: never,"created_at"?: string,"created_by"?: string | null,"disconnected_at"?: string | null,"error"?: string | null,"external_account_id"?: string | null,"id"?: string,"last_synced_at"?: string | null,"offered_account_id"?: string | null,"offered_account_name"?: string | null,"org_id": string,"provider": string,"scopes"?: (string)[],"status"?: string,"updated_at"?: string
                  }
                  Update: {
                    "account_name"?: string | null,"connected_at"?: string | null,"consent_id"?: string | null,"consent_live"?: never,"created_at"?: string,"created_by"?: string | null,"disconnected_at"?: string | null,"error"?: string | null,"external_account_id"?: string | null,"id"?: string,"last_synced_at"?: string | null,"offered_account_id"?: string | null,"offered_account_name"?: string | null,"org_id"?: string,"provider"?: string,"scopes"?: (string)[],"status"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "integrations_consent_fkey"
      columns: ["org_id","consent_id","provider","consent_live"]
isOneToOne: false
      referencedRelation: "consents"
      referencedColumns: ["org_id","id","provider","live"]
    },{
      foreignKeyName: "integrations_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"invitations": {
                  Row: {
                    "accepted_at": string | null,"accepted_by": string | null,"created_at": string,"created_by": string | null,"email": string,"expires_at": string,"id": string,"org_id": string,"revoked_at": string | null,"role": string,"token_hash": string
                  }
                  ComputedFields: never
                  Insert: {
                    "accepted_at"?: string | null,"accepted_by"?: string | null,"created_at"?: string,"created_by"?: string | null,"email": string,"expires_at"?: string,"id"?: string,"org_id": string,"revoked_at"?: string | null,"role": string,"token_hash": string
                  }
                  Update: {
                    "accepted_at"?: string | null,"accepted_by"?: string | null,"created_at"?: string,"created_by"?: string | null,"email"?: string,"expires_at"?: string,"id"?: string,"org_id"?: string,"revoked_at"?: string | null,"role"?: string,"token_hash"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "invitations_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"invoice_corrections": {
                  Row: {
                    "corrected_at": string,"field": string,"id": string,"invoice_id": string,"org_id": string,"replaced_by": string | null,"request_id": string | null,"value": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "corrected_at"?: string,"field": string,"id"?: string,"invoice_id": string,"org_id": string,"replaced_by"?: string | null,"request_id"?: string | null,"value"?: string | null
                  }
                  Update: {
                    "corrected_at"?: string,"field"?: string,"id"?: string,"invoice_id"?: string,"org_id"?: string,"replaced_by"?: string | null,"request_id"?: string | null,"value"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "invoice_corrections_invoice_fkey"
      columns: ["org_id","invoice_id"]
isOneToOne: false
      referencedRelation: "invoices"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "invoice_corrections_replaced_by_fkey"
      columns: ["org_id","replaced_by"]
isOneToOne: false
      referencedRelation: "invoices"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "invoice_corrections_request_fkey"
      columns: ["org_id","request_id"]
isOneToOne: false
      referencedRelation: "privacy_requests"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"invoice_items": {
                  Row: {
                    "created_at": string,"description": string,"discount_ppm": number,"id": string,"invoice_id": string,"line_minor": number | null,"org_id": string,"position": number,"product_id": string | null,"quantity": number,"tax_codes": (string)[],"unit_price_minor": number,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"description": string,"discount_ppm"?: number,"id"?: string,"invoice_id": string,"line_minor"?: never,"org_id": string,"position": number,"product_id"?: string | null,"quantity"?: number,"tax_codes": (string)[],"unit_price_minor": number,"updated_at"?: string
                  }
                  Update: {
                    "created_at"?: string,"description"?: string,"discount_ppm"?: number,"id"?: string,"invoice_id"?: string,"line_minor"?: never,"org_id"?: string,"position"?: number,"product_id"?: string | null,"quantity"?: number,"tax_codes"?: (string)[],"unit_price_minor"?: number,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "invoice_items_invoice_fkey"
      columns: ["org_id","invoice_id"]
isOneToOne: false
      referencedRelation: "invoices"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "invoice_items_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "invoice_items_product_fkey"
      columns: ["org_id","product_id"]
isOneToOne: false
      referencedRelation: "products"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"invoice_taxes": {
                  Row: {
                    "code": string,"invoice_id": string,"name_en": string,"name_fr": string,"org_id": string,"rate_ppm": number,"registration": string | null,"tax_minor": number,"tax_rate_id": string,"taxable_minor": number
                  }
                  ComputedFields: never
                  Insert: {
                    "code": string,"invoice_id": string,"name_en": string,"name_fr": string,"org_id": string,"rate_ppm": number,"registration"?: string | null,"tax_minor": number,"tax_rate_id": string,"taxable_minor": number
                  }
                  Update: {
                    "code"?: string,"invoice_id"?: string,"name_en"?: string,"name_fr"?: string,"org_id"?: string,"rate_ppm"?: number,"registration"?: string | null,"tax_minor"?: number,"tax_rate_id"?: string,"taxable_minor"?: number
                  }
                  Relationships: [
                    {
      foreignKeyName: "invoice_taxes_invoice_fkey"
      columns: ["org_id","invoice_id"]
isOneToOne: false
      referencedRelation: "invoices"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "invoice_taxes_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "invoice_taxes_rate_fkey"
      columns: ["org_id","tax_rate_id"]
isOneToOne: false
      referencedRelation: "tax_rates"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"invoices": {
                  Row: {
                    "balance_minor": number | null,"bill_to_city": string | null,"bill_to_country": string | null,"bill_to_email": string | null,"bill_to_line1": string | null,"bill_to_line2": string | null,"bill_to_name": string | null,"bill_to_postal_code": string | null,"bill_to_region": string | null,"created_at": string,"created_by": string | null,"currency": string,"customer_id": string,"due_date": string | null,"id": string,"issue_date": string | null,"issued_at": string | null,"issued_by": string | null,"memo": string | null,"number": number | null,"order_id": string | null,"org_id": string,"paid_minor": number,"status": string,"subtotal_minor": number,"tax_minor": number,"total_minor": number,"updated_at": string,"void_reason": string | null,"voided_at": string | null,"voided_by": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "balance_minor"?: never,"bill_to_city"?: string | null,"bill_to_country"?: string | null,"bill_to_email"?: string | null,"bill_to_line1"?: string | null,"bill_to_line2"?: string | null,"bill_to_name"?: string | null,"bill_to_postal_code"?: string | null,"bill_to_region"?: string | null,"created_at"?: string,"created_by"?: string | null,"currency": string,"customer_id": string,"due_date"?: string | null,"id"?: string,"issue_date"?: string | null,"issued_at"?: string | null,"issued_by"?: string | null,"memo"?: string | null,"number"?: number | null,"order_id"?: string | null,"org_id": string,"paid_minor"?: number,"status"?: string,"subtotal_minor"?: number,"tax_minor"?: number,"total_minor"?: number,"updated_at"?: string,"void_reason"?: string | null,"voided_at"?: string | null,"voided_by"?: string | null
                  }
                  Update: {
                    "balance_minor"?: never,"bill_to_city"?: string | null,"bill_to_country"?: string | null,"bill_to_email"?: string | null,"bill_to_line1"?: string | null,"bill_to_line2"?: string | null,"bill_to_name"?: string | null,"bill_to_postal_code"?: string | null,"bill_to_region"?: string | null,"created_at"?: string,"created_by"?: string | null,"currency"?: string,"customer_id"?: string,"due_date"?: string | null,"id"?: string,"issue_date"?: string | null,"issued_at"?: string | null,"issued_by"?: string | null,"memo"?: string | null,"number"?: number | null,"order_id"?: string | null,"org_id"?: string,"paid_minor"?: number,"status"?: string,"subtotal_minor"?: number,"tax_minor"?: number,"total_minor"?: number,"updated_at"?: string,"void_reason"?: string | null,"voided_at"?: string | null,"voided_by"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "invoices_customer_fkey"
      columns: ["org_id","customer_id"]
isOneToOne: false
      referencedRelation: "customers"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "invoices_order_fkey"
      columns: ["org_id","order_id"]
isOneToOne: false
      referencedRelation: "orders"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "invoices_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"journal_entries": {
                  Row: {
                    "client_key": string | null,"created_at": string,"created_by": string | null,"entry_date": string,"id": string,"invoice_id": string | null,"line_count": number,"memo": string | null,"number": number,"org_id": string,"reverses_id": string | null,"source": string,"source_id": string | null,"total_minor": number
                  }
                  ComputedFields: never
                  Insert: {
                    "client_key"?: string | null,"created_at"?: string,"created_by"?: string | null,"entry_date": string,"id"?: string,"invoice_id"?: string | null,"line_count": number,"memo"?: string | null,"number": number,"org_id": string,"reverses_id"?: string | null,"source"?: string,"source_id"?: string | null,"total_minor": number
                  }
                  Update: {
                    "client_key"?: string | null,"created_at"?: string,"created_by"?: string | null,"entry_date"?: string,"id"?: string,"invoice_id"?: string | null,"line_count"?: number,"memo"?: string | null,"number"?: number,"org_id"?: string,"reverses_id"?: string | null,"source"?: string,"source_id"?: string | null,"total_minor"?: number
                  }
                  Relationships: [
                    {
      foreignKeyName: "journal_entries_invoice_fkey"
      columns: ["org_id","invoice_id"]
isOneToOne: false
      referencedRelation: "invoices"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "journal_entries_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "journal_entries_reverses_fkey"
      columns: ["org_id","reverses_id"]
isOneToOne: true
      referencedRelation: "journal_entries"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"journal_lines": {
                  Row: {
                    "account_id": string,"credit_minor": number,"debit_minor": number,"entry_id": string,"id": string,"memo": string | null,"org_id": string,"position": number
                  }
                  ComputedFields: never
                  Insert: {
                    "account_id": string,"credit_minor"?: number,"debit_minor"?: number,"entry_id": string,"id"?: string,"memo"?: string | null,"org_id": string,"position": number
                  }
                  Update: {
                    "account_id"?: string,"credit_minor"?: number,"debit_minor"?: number,"entry_id"?: string,"id"?: string,"memo"?: string | null,"org_id"?: string,"position"?: number
                  }
                  Relationships: [
                    {
      foreignKeyName: "journal_lines_account_fkey"
      columns: ["org_id","account_id"]
isOneToOne: false
      referencedRelation: "accounts"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "journal_lines_entry_fkey"
      columns: ["org_id","entry_id"]
isOneToOne: false
      referencedRelation: "journal_entries"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "journal_lines_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"memberships": {
                  Row: {
                    "created_at": string,"org_id": string,"permissions": (string)[],"role": string,"updated_at": string,"user_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"org_id": string,"permissions"?: (string)[],"role": string,"updated_at"?: string,"user_id": string
                  }
                  Update: {
                    "created_at"?: string,"org_id"?: string,"permissions"?: (string)[],"role"?: string,"updated_at"?: string,"user_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "memberships_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"messages": {
                  Row: {
                    "attempts": number,"body": string | null,"channel_id": string,"client_key": string | null,"conversation_id": string,"created_at": string,"deleted_at": string | null,"delivered_at": string | null,"direction": string,"edited_at": string | null,"error_code": string | null,"error_detail": string | null,"external_id": string | null,"id": string,"occurred_at": string,"org_id": string,"origin": string,"provider": string,"read_at": string | null,"sent_by": string | null,"state": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "attempts"?: number,"body"?: string | null,"channel_id": string,"client_key"?: string | null,"conversation_id": string,"created_at"?: string,"deleted_at"?: string | null,"delivered_at"?: string | null,"direction": string,"edited_at"?: string | null,"error_code"?: string | null,"error_detail"?: string | null,"external_id"?: string | null,"id"?: string,"occurred_at"?: string,"org_id": string,"origin": string,"provider": string,"read_at"?: string | null,"sent_by"?: string | null,"state": string,"updated_at"?: string
                  }
                  Update: {
                    "attempts"?: number,"body"?: string | null,"channel_id"?: string,"client_key"?: string | null,"conversation_id"?: string,"created_at"?: string,"deleted_at"?: string | null,"delivered_at"?: string | null,"direction"?: string,"edited_at"?: string | null,"error_code"?: string | null,"error_detail"?: string | null,"external_id"?: string | null,"id"?: string,"occurred_at"?: string,"org_id"?: string,"origin"?: string,"provider"?: string,"read_at"?: string | null,"sent_by"?: string | null,"state"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "messages_conversation_fkey"
      columns: ["org_id","conversation_id","channel_id","provider"]
isOneToOne: false
      referencedRelation: "conversations"
      referencedColumns: ["org_id","id","channel_id","provider"]
    }
                  ]
                },"notes": {
                  Row: {
                    "body": string,"created_at": string,"created_by": string | null,"customer_id": string,"id": string,"org_id": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "body": string,"created_at"?: string,"created_by"?: string | null,"customer_id": string,"id"?: string,"org_id": string,"updated_at"?: string
                  }
                  Update: {
                    "body"?: string,"created_at"?: string,"created_by"?: string | null,"customer_id"?: string,"id"?: string,"org_id"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "notes_customer_fkey"
      columns: ["org_id","customer_id"]
isOneToOne: false
      referencedRelation: "customers"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"opt_outs": {
                  Row: {
                    "channel_id": string,"contact": string,"id": string,"lifted_at": string | null,"lifted_source": string | null,"opted_out_at": string,"org_id": string,"provider": string,"source": string
                  }
                  ComputedFields: never
                  Insert: {
                    "channel_id": string,"contact": string,"id"?: string,"lifted_at"?: string | null,"lifted_source"?: string | null,"opted_out_at"?: string,"org_id": string,"provider"?: string,"source": string
                  }
                  Update: {
                    "channel_id"?: string,"contact"?: string,"id"?: string,"lifted_at"?: string | null,"lifted_source"?: string | null,"opted_out_at"?: string,"org_id"?: string,"provider"?: string,"source"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "opt_outs_channel_fkey"
      columns: ["org_id","channel_id","provider"]
isOneToOne: false
      referencedRelation: "channels"
      referencedColumns: ["org_id","id","provider"]
    }
                  ]
                },"order_items": {
                  Row: {
                    "created_at": string,"description": string,"discount_ppm": number,"id": string,"line_minor": number | null,"order_id": string,"org_id": string,"position": number,"product_id": string | null,"quantity": number,"tax_codes": (string)[],"unit_price_minor": number,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"description": string,"discount_ppm"?: number,"id"?: string,"line_minor"?: never,"order_id": string,"org_id": string,"position": number,"product_id"?: string | null,"quantity"?: number,"tax_codes": (string)[],"unit_price_minor": number,"updated_at"?: string
                  }
                  Update: {
                    "created_at"?: string,"description"?: string,"discount_ppm"?: number,"id"?: string,"line_minor"?: never,"order_id"?: string,"org_id"?: string,"position"?: number,"product_id"?: string | null,"quantity"?: number,"tax_codes"?: (string)[],"unit_price_minor"?: number,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "order_items_order_fkey"
      columns: ["org_id","order_id"]
isOneToOne: false
      referencedRelation: "orders"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "order_items_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "order_items_product_fkey"
      columns: ["org_id","product_id"]
isOneToOne: false
      referencedRelation: "products"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"orders": {
                  Row: {
                    "cancelled_at": string | null,"confirmed_at": string | null,"created_at": string,"created_by": string | null,"currency": string,"customer_id": string,"fulfilled_at": string | null,"id": string,"memo": string | null,"number": number | null,"org_id": string,"status": string,"subtotal_minor": number,"tax_minor": number,"total_minor": number,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "cancelled_at"?: string | null,"confirmed_at"?: string | null,"created_at"?: string,"created_by"?: string | null,"currency": string,"customer_id": string,"fulfilled_at"?: string | null,"id"?: string,"memo"?: string | null,"number"?: number | null,"org_id": string,"status"?: string,"subtotal_minor"?: number,"tax_minor"?: number,"total_minor"?: number,"updated_at"?: string
                  }
                  Update: {
                    "cancelled_at"?: string | null,"confirmed_at"?: string | null,"created_at"?: string,"created_by"?: string | null,"currency"?: string,"customer_id"?: string,"fulfilled_at"?: string | null,"id"?: string,"memo"?: string | null,"number"?: number | null,"org_id"?: string,"status"?: string,"subtotal_minor"?: number,"tax_minor"?: number,"total_minor"?: number,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "orders_customer_fkey"
      columns: ["org_id","customer_id"]
isOneToOne: false
      referencedRelation: "customers"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "orders_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"organizations": {
                  Row: {
                    "closed_at": string | null,"country": string,"created_at": string,"currency": string,"id": string,"locale": string,"name": string,"timezone": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "closed_at"?: string | null,"country"?: string,"created_at"?: string,"currency"?: string,"id"?: string,"locale"?: string,"name": string,"timezone"?: string,"updated_at"?: string
                  }
                  Update: {
                    "closed_at"?: string | null,"country"?: string,"created_at"?: string,"currency"?: string,"id"?: string,"locale"?: string,"name"?: string,"timezone"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    
                  ]
                },"payments": {
                  Row: {
                    "amount_minor": number,"client_key": string | null,"created_at": string,"created_by": string | null,"currency": string,"id": string,"invoice_id": string,"method": string,"org_id": string,"received_on": string,"reference": string | null,"reversal_reason": string | null,"reversed_at": string | null,"reversed_by": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "amount_minor": number,"client_key"?: string | null,"created_at"?: string,"created_by"?: string | null,"currency": string,"id"?: string,"invoice_id": string,"method": string,"org_id": string,"received_on": string,"reference"?: string | null,"reversal_reason"?: string | null,"reversed_at"?: string | null,"reversed_by"?: string | null
                  }
                  Update: {
                    "amount_minor"?: number,"client_key"?: string | null,"created_at"?: string,"created_by"?: string | null,"currency"?: string,"id"?: string,"invoice_id"?: string,"method"?: string,"org_id"?: string,"received_on"?: string,"reference"?: string | null,"reversal_reason"?: string | null,"reversed_at"?: string | null,"reversed_by"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "payments_invoice_fkey"
      columns: ["org_id","invoice_id"]
isOneToOne: false
      referencedRelation: "invoices"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "payments_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"periods": {
                  Row: {
                    "closed_at": string,"closed_by": string | null,"ends_on": string,"id": string,"org_id": string,"starts_on": string
                  }
                  ComputedFields: never
                  Insert: {
                    "closed_at"?: string,"closed_by"?: string | null,"ends_on": string,"id"?: string,"org_id": string,"starts_on": string
                  }
                  Update: {
                    "closed_at"?: string,"closed_by"?: string | null,"ends_on"?: string,"id"?: string,"org_id"?: string,"starts_on"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "periods_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"phone_numbers": {
                  Row: {
                    "country": string | null,"created_at": string,"external_id": string,"id": string,"integration_id": string,"number": string,"org_id": string,"previous_connection_id": string | null,"previous_profile_id": string | null,"problem": string | null,"provider": string,"state": string,"updated_at": string,"wanted": boolean
                  }
                  ComputedFields: never
                  Insert: {
                    "country"?: string | null,"created_at"?: string,"external_id": string,"id"?: string,"integration_id": string,"number": string,"org_id": string,"previous_connection_id"?: string | null,"previous_profile_id"?: string | null,"problem"?: string | null,"provider"?: string,"state"?: string,"updated_at"?: string,"wanted"?: boolean
                  }
                  Update: {
                    "country"?: string | null,"created_at"?: string,"external_id"?: string,"id"?: string,"integration_id"?: string,"number"?: string,"org_id"?: string,"previous_connection_id"?: string | null,"previous_profile_id"?: string | null,"problem"?: string | null,"provider"?: string,"state"?: string,"updated_at"?: string,"wanted"?: boolean
                  }
                  Relationships: [
                    {
      foreignKeyName: "phone_numbers_integration_fkey"
      columns: ["org_id","integration_id","provider"]
isOneToOne: false
      referencedRelation: "integrations"
      referencedColumns: ["org_id","id","provider"]
    }
                  ]
                },"phone_settings": {
                  Row: {
                    "allowed_countries": (string)[],"help_text": string | null,"org_id": string,"quiet_from": string | null,"quiet_until": string | null,"recording": boolean,"recording_by": string | null,"recording_notice": string | null,"recording_since": string | null,"updated_at": string,"voicemail": boolean
                  }
                  ComputedFields: never
                  Insert: {
                    "allowed_countries"?: (string)[],"help_text"?: string | null,"org_id": string,"quiet_from"?: string | null,"quiet_until"?: string | null,"recording"?: boolean,"recording_by"?: string | null,"recording_notice"?: string | null,"recording_since"?: string | null,"updated_at"?: string,"voicemail"?: boolean
                  }
                  Update: {
                    "allowed_countries"?: (string)[],"help_text"?: string | null,"org_id"?: string,"quiet_from"?: string | null,"quiet_until"?: string | null,"recording"?: boolean,"recording_by"?: string | null,"recording_notice"?: string | null,"recording_since"?: string | null,"updated_at"?: string,"voicemail"?: boolean
                  }
                  Relationships: [
                    {
      foreignKeyName: "phone_settings_org_fkey"
      columns: ["org_id"]
isOneToOne: true
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"plans": {
                  Row: {
                    "active": boolean,"amount_minor": number,"billing_interval": string,"created_at": string,"currency": string,"features": (string)[] | null,"name_en": string,"name_fr": string,"plan": string,"rank": number,"stripe_price_id": string | null,"trial_days": number,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "active"?: boolean,"amount_minor": number,"billing_interval"?: string,"created_at"?: string,"currency"?: string,"features"?: (string)[] | null,"name_en": string,"name_fr": string,"plan": string,"rank": number,"stripe_price_id"?: string | null,"trial_days"?: number,"updated_at"?: string
                  }
                  Update: {
                    "active"?: boolean,"amount_minor"?: number,"billing_interval"?: string,"created_at"?: string,"currency"?: string,"features"?: (string)[] | null,"name_en"?: string,"name_fr"?: string,"plan"?: string,"rank"?: number,"stripe_price_id"?: string | null,"trial_days"?: number,"updated_at"?: string
                  }
                  Relationships: [
                    
                  ]
                },"privacy_requests": {
                  Row: {
                    "approved_by": string | null,"authority": string,"channel": string,"closed_at": string | null,"decided_by": string | null,"decision": string | null,"details": string | null,"due_at": string,"extended_until": string | null,"extension_reason": string | null,"granted": boolean | null,"id": string,"identity_level": number | null,"identity_method": string | null,"identity_verified_at": string | null,"kind": string,"org_id": string,"provision": string | null,"received_at": string,"regime": string,"requested_by": string | null,"status": string,"subject_conversation_id": string | null,"subject_customer_id": string | null,"subject_kind": string,"subject_user_id": string | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "approved_by"?: string | null,"authority"?: string,"channel"?: string,"closed_at"?: string | null,"decided_by"?: string | null,"decision"?: string | null,"details"?: string | null,"due_at"?: never,"extended_until"?: string | null,"extension_reason"?: string | null,"granted"?: boolean | null,"id"?: string,"identity_level"?: number | null,"identity_method"?: string | null,"identity_verified_at"?: string | null,"kind": string,"org_id": string,"provision"?: string | null,"received_at"?: string,"regime": string,"requested_by"?: string | null,"status"?: string,"subject_conversation_id"?: string | null,"subject_customer_id"?: string | null,"subject_kind": string,"subject_user_id"?: string | null,"updated_at"?: string
                  }
                  Update: {
                    "approved_by"?: string | null,"authority"?: string,"channel"?: string,"closed_at"?: string | null,"decided_by"?: string | null,"decision"?: string | null,"details"?: string | null,"due_at"?: never,"extended_until"?: string | null,"extension_reason"?: string | null,"granted"?: boolean | null,"id"?: string,"identity_level"?: number | null,"identity_method"?: string | null,"identity_verified_at"?: string | null,"kind"?: string,"org_id"?: string,"provision"?: string | null,"received_at"?: string,"regime"?: string,"requested_by"?: string | null,"status"?: string,"subject_conversation_id"?: string | null,"subject_customer_id"?: string | null,"subject_kind"?: string,"subject_user_id"?: string | null,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "privacy_requests_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "privacy_requests_subject_conversation_fkey"
      columns: ["org_id","subject_conversation_id"]
isOneToOne: false
      referencedRelation: "conversations"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "privacy_requests_subject_customer_fkey"
      columns: ["org_id","subject_customer_id"]
isOneToOne: false
      referencedRelation: "customers"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"products": {
                  Row: {
                    "active": boolean,"created_at": string,"created_by": string | null,"currency": string,"description": string | null,"id": string,"name": string,"org_id": string,"sku": string | null,"tax_codes": (string)[] | null,"unit_price_minor": number,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "active"?: boolean,"created_at"?: string,"created_by"?: string | null,"currency": string,"description"?: string | null,"id"?: string,"name": string,"org_id": string,"sku"?: string | null,"tax_codes"?: (string)[] | null,"unit_price_minor": number,"updated_at"?: string
                  }
                  Update: {
                    "active"?: boolean,"created_at"?: string,"created_by"?: string | null,"currency"?: string,"description"?: string | null,"id"?: string,"name"?: string,"org_id"?: string,"sku"?: string | null,"tax_codes"?: (string)[] | null,"unit_price_minor"?: number,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "products_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"profiles": {
                  Row: {
                    "active_org_id": string | null,"created_at": string,"display_name": string | null,"locale": string | null,"updated_at": string,"user_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "active_org_id"?: string | null,"created_at"?: string,"display_name"?: string | null,"locale"?: string | null,"updated_at"?: string,"user_id": string
                  }
                  Update: {
                    "active_org_id"?: string | null,"created_at"?: string,"display_name"?: string | null,"locale"?: string | null,"updated_at"?: string,"user_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "profiles_active_org_fkey"
      columns: ["active_org_id","user_id"]
isOneToOne: false
      referencedRelation: "memberships"
      referencedColumns: ["org_id","user_id"]
    }
                  ]
                },"subscriptions": {
                  Row: {
                    "cancel_at_period_end": boolean,"canceled_at": string | null,"created_at": string,"current_period_end": string | null,"current_period_start": string | null,"id": string,"org_id": string,"past_due_since": string | null,"plan": string | null,"quantity": number,"status": string,"stripe_price_id": string | null,"stripe_subscription_id": string,"synced_at": string,"trial_end": string | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "cancel_at_period_end"?: boolean,"canceled_at"?: string | null,"created_at"?: string,"current_period_end"?: string | null,"current_period_start"?: string | null,"id"?: string,"org_id": string,"past_due_since"?: string | null,"plan"?: string | null,"quantity"?: number,"status": string,"stripe_price_id"?: string | null,"stripe_subscription_id": string,"synced_at"?: string,"trial_end"?: string | null,"updated_at"?: string
                  }
                  Update: {
                    "cancel_at_period_end"?: boolean,"canceled_at"?: string | null,"created_at"?: string,"current_period_end"?: string | null,"current_period_start"?: string | null,"id"?: string,"org_id"?: string,"past_due_since"?: string | null,"plan"?: string | null,"quantity"?: number,"status"?: string,"stripe_price_id"?: string | null,"stripe_subscription_id"?: string,"synced_at"?: string,"trial_end"?: string | null,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "subscriptions_account_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "billing_accounts"
      referencedColumns: ["org_id"]
    },{
      foreignKeyName: "subscriptions_plan_fkey"
      columns: ["plan"]
isOneToOne: false
      referencedRelation: "plans"
      referencedColumns: ["plan"]
    }
                  ]
                },"support_grants": {
                  Row: {
                    "approved_at": string | null,"approved_by": string | null,"created_at": string,"ends_at": string,"granted_by": string,"id": string,"org_id": string,"permissions": (string)[],"reason": string,"revoked_at": string | null,"revoked_by": string | null,"staff": string,"token_sha256": string
                  }
                  ComputedFields: never
                  Insert: {
                    "approved_at"?: string | null,"approved_by"?: string | null,"created_at"?: string,"ends_at": string,"granted_by": string,"id"?: string,"org_id": string,"permissions": (string)[],"reason": string,"revoked_at"?: string | null,"revoked_by"?: string | null,"staff": string,"token_sha256": string
                  }
                  Update: {
                    "approved_at"?: string | null,"approved_by"?: string | null,"created_at"?: string,"ends_at"?: string,"granted_by"?: string,"id"?: string,"org_id"?: string,"permissions"?: (string)[],"reason"?: string,"revoked_at"?: string | null,"revoked_by"?: string | null,"staff"?: string,"token_sha256"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "support_grants_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"support_reads": {
                  Row: {
                    "announced_at": string,"before_id": string | null,"done_at": string | null,"grant_id": string,"id": string,"org_id": string,"reason": string,"row_count": number | null,"row_id": string | null,"row_ids": (string)[] | null,"rows_sha256": string | null,"staff": string,"table_name": string,"xid": unknown
                  }
                  ComputedFields: never
                  Insert: {
                    "announced_at"?: string,"before_id"?: string | null,"done_at"?: string | null,"grant_id": string,"id"?: string,"org_id": string,"reason": string,"row_count"?: number | null,"row_id"?: string | null,"row_ids"?: (string)[] | null,"rows_sha256"?: string | null,"staff": string,"table_name": string,"xid"?: unknown
                  }
                  Update: {
                    "announced_at"?: string,"before_id"?: string | null,"done_at"?: string | null,"grant_id"?: string,"id"?: string,"org_id"?: string,"reason"?: string,"row_count"?: number | null,"row_id"?: string | null,"row_ids"?: (string)[] | null,"rows_sha256"?: string | null,"staff"?: string,"table_name"?: string,"xid"?: unknown
                  }
                  Relationships: [
                    {
      foreignKeyName: "support_reads_grant_fkey"
      columns: ["org_id","grant_id"]
isOneToOne: false
      referencedRelation: "support_grants"
      referencedColumns: ["org_id","id"]
    }
                  ]
                },"support_settings": {
                  Row: {
                    "approval_required": boolean,"org_id": string,"set_at": string,"set_by": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "approval_required"?: boolean,"org_id": string,"set_at"?: string,"set_by"?: string | null
                  }
                  Update: {
                    "approval_required"?: boolean,"org_id"?: string,"set_at"?: string,"set_by"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "support_settings_org_fkey"
      columns: ["org_id"]
isOneToOne: true
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"tasks": {
                  Row: {
                    "assigned_to": string | null,"created_at": string,"created_by": string | null,"customer_id": string | null,"done_at": string | null,"due_at": string | null,"id": string,"org_id": string,"title": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "assigned_to"?: string | null,"created_at"?: string,"created_by"?: string | null,"customer_id"?: string | null,"done_at"?: string | null,"due_at"?: string | null,"id"?: string,"org_id": string,"title": string,"updated_at"?: string
                  }
                  Update: {
                    "assigned_to"?: string | null,"created_at"?: string,"created_by"?: string | null,"customer_id"?: string | null,"done_at"?: string | null,"due_at"?: string | null,"id"?: string,"org_id"?: string,"title"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "tasks_assigned_to_fkey"
      columns: ["org_id","assigned_to"]
isOneToOne: false
      referencedRelation: "memberships"
      referencedColumns: ["org_id","user_id"]
    },{
      foreignKeyName: "tasks_customer_fkey"
      columns: ["org_id","customer_id"]
isOneToOne: false
      referencedRelation: "customers"
      referencedColumns: ["org_id","id"]
    },{
      foreignKeyName: "tasks_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                },"tax_rates": {
                  Row: {
                    "active": boolean,"code": string,"country": string | null,"created_at": string,"id": string,"is_default": boolean,"name_en": string,"name_fr": string,"org_id": string,"rate_ppm": number,"region": string | null,"registration": string | null,"updated_at": string,"valid_from": string
                  }
                  ComputedFields: never
                  Insert: {
                    "active"?: boolean,"code": string,"country"?: string | null,"created_at"?: string,"id"?: string,"is_default"?: boolean,"name_en": string,"name_fr": string,"org_id": string,"rate_ppm": number,"region"?: string | null,"registration"?: string | null,"updated_at"?: string,"valid_from"?: string
                  }
                  Update: {
                    "active"?: boolean,"code"?: string,"country"?: string | null,"created_at"?: string,"id"?: string,"is_default"?: boolean,"name_en"?: string,"name_fr"?: string,"org_id"?: string,"rate_ppm"?: number,"region"?: string | null,"registration"?: string | null,"updated_at"?: string,"valid_from"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "tax_rates_org_fkey"
      columns: ["org_id"]
isOneToOne: false
      referencedRelation: "organizations"
      referencedColumns: ["id"]
    }
                  ]
                }
          }
          Views: {
            "ar_aging": {
                  Row: {
                    "current_minor": number | null,"customer_id": string | null,"customer_name": string | null,"days_1_30_minor": number | null,"days_31_60_minor": number | null,"days_61_90_minor": number | null,"days_over_90_minor": number | null,"total_minor": number | null
                  }
                  ComputedFields: never
                  Relationships: [
                    
                  ]
                },"balance_sheet": {
                  Row: {
                    "account_id": string | null,"amount_minor": number | null,"code": string | null,"name": string | null,"section": string | null
                  }
                  ComputedFields: never
                  Relationships: [
                    
                  ]
                },"profit_and_loss": {
                  Row: {
                    "account_id": string | null,"amount_minor": number | null,"code": string | null,"name": string | null,"section": string | null
                  }
                  ComputedFields: never
                  Relationships: [
                    
                  ]
                },"tax_report": {
                  Row: {
                    "account_id": string | null,"code": string | null,"credit_minor": number | null,"debit_minor": number | null,"name": string | null,"owed_minor": number | null,"role": string | null,"taxable_minor": number | null
                  }
                  ComputedFields: never
                  Relationships: [
                    
                  ]
                },"timeline": {
                  Row: {
                    "actor_id": string | null,"amount_minor": number | null,"currency": string | null,"customer_id": string | null,"item_id": string | null,"kind": string | null,"occurred_at": string | null,"org_id": string | null,"status": string | null,"summary": string | null
                  }
                  ComputedFields: never
                  Relationships: [
                    
                  ]
                },"trial_balance": {
                  Row: {
                    "account_id": string | null,"balance_minor": number | null,"code": string | null,"credit_minor": number | null,"debit_minor": number | null,"kind": string | null,"name": string | null
                  }
                  ComputedFields: never
                  Relationships: [
                    
                  ]
                }
          }
          Functions: {
            "accept_invitation":
{ Args: { "token": string }; Returns: string
                           },
"answer_call":
{ Args: { "call_id": string }; Returns: {
              "action": string,
"call_id": string,
"created_at": string,
"error_code": string | null,
"error_detail": string | null,
"id": string,
"org_id": string,
"provider": string,
"requested_by": string | null,
"state": string,
"target_number": string | null,
"target_user": string | null,
"tried_at": string | null,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "call_actions"
        isOneToOne: true
        isSetofReturn: false
      } },
"approve_support_access":
{ Args: { "grant_id": string }; Returns: boolean
                           },
"ar_aging":
{ Args: { "as_of": string }; Returns: {
              "current_minor": number,"customer_id": string,"customer_name": string,"days_1_30_minor": number,"days_31_60_minor": number,"days_61_90_minor": number,"days_over_90_minor": number,"total_minor": number
            }[]
                           },
"balance_sheet":
{ Args: { "as_of": string }; Returns: {
              "account_id": string,"amount_minor": number,"code": string,"name": string,"section": string
            }[]
                           },
"begin_connection":
{ Args: { "provider": string }; Returns: Json
                           },
"billing_status":
{ Args: Record<PropertyKey, never>; Returns: {
              "attempt_count": number,"cancel_at_period_end": boolean,"current_period_end": string,"features": (string)[],"next_attempt_at": string,"open_invoice_id": string,"past_due_since": string,"plan": string,"standing": string,"subscription_status": string,"until": string
            }[]
                           },
"cancel_order":
{ Args: { "order_id": string }; Returns: {
              "cancelled_at": string | null,
"confirmed_at": string | null,
"created_at": string,
"created_by": string | null,
"currency": string,
"customer_id": string,
"fulfilled_at": string | null,
"id": string,
"memo": string | null,
"number": number | null,
"org_id": string,
"status": string,
"subtotal_minor": number,
"tax_minor": number,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "orders"
        isOneToOne: true
        isSetofReturn: false
      } },
"cancel_privacy_request":
{ Args: { "request_id": string }; Returns: boolean
                           },
"choose_numbers":
{ Args: { "numbers": (string)[] }; Returns: {
              "country": string | null,
"created_at": string,
"external_id": string,
"id": string,
"integration_id": string,
"number": string,
"org_id": string,
"previous_connection_id": string | null,
"previous_profile_id": string | null,
"problem": string | null,
"provider": string,
"state": string,
"updated_at": string,
"wanted": boolean
            }[]
                          SetofOptions: {
        from: "*"
        to: "phone_numbers"
        isOneToOne: false
        isSetofReturn: true
      } },
"close_period":
{ Args: { "through": string }; Returns: {
              "closed_at": string,
"closed_by": string | null,
"ends_on": string,
"id": string,
"org_id": string,
"starts_on": string
            }
                          SetofOptions: {
        from: "*"
        to: "periods"
        isOneToOne: true
        isSetofReturn: false
      } },
"complete_connection":
{ Args: { "code": string,"state": string }; Returns: {
              "account_name": string | null,
"connected_at": string | null,
"consent_id": string | null,
"consent_live": boolean | null,
"created_at": string,
"created_by": string | null,
"disconnected_at": string | null,
"error": string | null,
"external_account_id": string | null,
"id": string,
"last_synced_at": string | null,
"offered_account_id": string | null,
"offered_account_name": string | null,
"org_id": string,
"provider": string,
"scopes": (string)[],
"status": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "integrations"
        isOneToOne: true
        isSetofReturn: false
      } },
"confirm_account":
{ Args: { "accept": boolean,"integration_id": string }; Returns: {
              "account_name": string | null,
"connected_at": string | null,
"consent_id": string | null,
"consent_live": boolean | null,
"created_at": string,
"created_by": string | null,
"disconnected_at": string | null,
"error": string | null,
"external_account_id": string | null,
"id": string,
"last_synced_at": string | null,
"offered_account_id": string | null,
"offered_account_name": string | null,
"org_id": string,
"provider": string,
"scopes": (string)[],
"status": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "integrations"
        isOneToOne: true
        isSetofReturn: false
      } },
"confirm_order":
{ Args: { "order_id": string }; Returns: {
              "cancelled_at": string | null,
"confirmed_at": string | null,
"created_at": string,
"created_by": string | null,
"currency": string,
"customer_id": string,
"fulfilled_at": string | null,
"id": string,
"memo": string | null,
"number": number | null,
"org_id": string,
"status": string,
"subtotal_minor": number,
"tax_minor": number,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "orders"
        isOneToOne: true
        isSetofReturn: false
      } },
"connect_telnyx":
{ Args: { "api_key": string,"public_key"?: string }; Returns: {
              "account_name": string | null,
"connected_at": string | null,
"consent_id": string | null,
"consent_live": boolean | null,
"created_at": string,
"created_by": string | null,
"disconnected_at": string | null,
"error": string | null,
"external_account_id": string | null,
"id": string,
"last_synced_at": string | null,
"offered_account_id": string | null,
"offered_account_name": string | null,
"org_id": string,
"provider": string,
"scopes": (string)[],
"status": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "integrations"
        isOneToOne: true
        isSetofReturn: false
      } },
"create_organization":
{ Args: { "country"?: string,"currency"?: string,"locale"?: string,"name": string,"timezone"?: string }; Returns: {
              "closed_at": string | null,
"country": string,
"created_at": string,
"currency": string,
"id": string,
"locale": string,
"name": string,
"timezone": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "organizations"
        isOneToOne: true
        isSetofReturn: false
      } },
"delete_recording":
{ Args: { "recording_id": string }; Returns: boolean
                           },
"disconnect_integration":
{ Args: { "integration_id": string }; Returns: boolean
                           },
"enable_places":
{ Args: Record<PropertyKey, never>; Returns: {
              "account_name": string | null,
"connected_at": string | null,
"consent_id": string | null,
"consent_live": boolean | null,
"created_at": string,
"created_by": string | null,
"disconnected_at": string | null,
"error": string | null,
"external_account_id": string | null,
"id": string,
"last_synced_at": string | null,
"offered_account_id": string | null,
"offered_account_name": string | null,
"org_id": string,
"provider": string,
"scopes": (string)[],
"status": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "integrations"
        isOneToOne: true
        isSetofReturn: false
      } },
"fulfil_order":
{ Args: { "order_id": string }; Returns: {
              "cancelled_at": string | null,
"confirmed_at": string | null,
"created_at": string,
"created_by": string | null,
"currency": string,
"customer_id": string,
"fulfilled_at": string | null,
"id": string,
"memo": string | null,
"number": number | null,
"org_id": string,
"status": string,
"subtotal_minor": number,
"tax_minor": number,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "orders"
        isOneToOne: true
        isSetofReturn: false
      } },
"hang_up_call":
{ Args: { "call_id": string }; Returns: {
              "action": string,
"call_id": string,
"created_at": string,
"error_code": string | null,
"error_detail": string | null,
"id": string,
"org_id": string,
"provider": string,
"requested_by": string | null,
"state": string,
"target_number": string | null,
"target_user": string | null,
"tried_at": string | null,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "call_actions"
        isOneToOne: true
        isSetofReturn: false
      } },
"hold_call":
{ Args: { "call_id": string,"hold"?: boolean }; Returns: {
              "action": string,
"call_id": string,
"created_at": string,
"error_code": string | null,
"error_detail": string | null,
"id": string,
"org_id": string,
"provider": string,
"requested_by": string | null,
"state": string,
"target_number": string | null,
"target_user": string | null,
"tried_at": string | null,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "call_actions"
        isOneToOne: true
        isSetofReturn: false
      } },
"invite_member":
{ Args: { "email": string,"role": string }; Returns: {
              "invitation_id": string,"token": string
            }[]
                           },
"invoice_order":
{ Args: { "order_id": string }; Returns: {
              "balance_minor": number | null,
"bill_to_city": string | null,
"bill_to_country": string | null,
"bill_to_email": string | null,
"bill_to_line1": string | null,
"bill_to_line2": string | null,
"bill_to_name": string | null,
"bill_to_postal_code": string | null,
"bill_to_region": string | null,
"created_at": string,
"created_by": string | null,
"currency": string,
"customer_id": string,
"due_date": string | null,
"id": string,
"issue_date": string | null,
"issued_at": string | null,
"issued_by": string | null,
"memo": string | null,
"number": number | null,
"order_id": string | null,
"org_id": string,
"paid_minor": number,
"status": string,
"subtotal_minor": number,
"tax_minor": number,
"total_minor": number,
"updated_at": string,
"void_reason": string | null,
"voided_at": string | null,
"voided_by": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "invoices"
        isOneToOne: true
        isSetofReturn: false
      } },
"issue_export_link":
{ Args: { "request_id": string }; Returns: {
              "expires_at": string,"token": string
            }[]
                           },
"issue_invoice":
{ Args: { "invoice_id": string }; Returns: {
              "balance_minor": number | null,
"bill_to_city": string | null,
"bill_to_country": string | null,
"bill_to_email": string | null,
"bill_to_line1": string | null,
"bill_to_line2": string | null,
"bill_to_name": string | null,
"bill_to_postal_code": string | null,
"bill_to_region": string | null,
"created_at": string,
"created_by": string | null,
"currency": string,
"customer_id": string,
"due_date": string | null,
"id": string,
"issue_date": string | null,
"issued_at": string | null,
"issued_by": string | null,
"memo": string | null,
"number": number | null,
"order_id": string | null,
"org_id": string,
"paid_minor": number,
"status": string,
"subtotal_minor": number,
"tax_minor": number,
"total_minor": number,
"updated_at": string,
"void_reason": string | null,
"voided_at": string | null,
"voided_by": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "invoices"
        isOneToOne: true
        isSetofReturn: false
      } },
"link_conversation":
{ Args: { "conversation_id": string,"customer_id": string }; Returns: {
              "channel_id": string,
"contact_checked_at": string | null,
"contact_external_id": string,
"contact_name": string | null,
"created_at": string,
"customer_id": string | null,
"delivered_until": string | null,
"id": string,
"last_inbound_at": string | null,
"last_message_at": string | null,
"org_id": string,
"provider": string,
"read_until": string | null,
"reply_until": string | null,
"status": string,
"unread_count": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "conversations"
        isOneToOne: true
        isSetofReturn: false
      } },
"list_roles":
{ Args: Record<PropertyKey, never>; Returns: {
              "description": string,"permissions": (string)[],"role": string
            }[]
                           },
"mark_conversation_read":
{ Args: { "conversation_id": string }; Returns: undefined
                           },
"my_permissions":
{ Args: Record<PropertyKey, never>; Returns: string[]
                           },
"open_billing_portal":
{ Args: Record<PropertyKey, never>; Returns: {
              "created_at": string,
"error": string | null,
"expires_at": string | null,
"id": string,
"kind": string,
"org_id": string,
"plan": string | null,
"requested_by": string | null,
"state": string,
"stripe_session_id": string | null,
"updated_at": string,
"url": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "billing_requests"
        isOneToOne: true
        isSetofReturn: false
      } },
"open_privacy_request":
{ Args: { "details": string,"kind": string,"subject_id"?: string,"subject_kind"?: string }; Returns: {
              "approved_by": string | null,
"authority": string,
"channel": string,
"closed_at": string | null,
"decided_by": string | null,
"decision": string | null,
"details": string | null,
"due_at": string,
"extended_until": string | null,
"extension_reason": string | null,
"granted": boolean | null,
"id": string,
"identity_level": number | null,
"identity_method": string | null,
"identity_verified_at": string | null,
"kind": string,
"org_id": string,
"provision": string | null,
"received_at": string,
"regime": string,
"requested_by": string | null,
"status": string,
"subject_conversation_id": string | null,
"subject_customer_id": string | null,
"subject_kind": string,
"subject_user_id": string | null,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "privacy_requests"
        isOneToOne: true
        isSetofReturn: false
      } },
"post_journal_entry":
{ Args: { "client_key"?: string,"entry_date": string,"lines": Json,"memo": string }; Returns: {
              "client_key": string | null,
"created_at": string,
"created_by": string | null,
"entry_date": string,
"id": string,
"invoice_id": string | null,
"line_count": number,
"memo": string | null,
"number": number,
"org_id": string,
"reverses_id": string | null,
"source": string,
"source_id": string | null,
"total_minor": number
            }
                          SetofOptions: {
        from: "*"
        to: "journal_entries"
        isOneToOne: true
        isSetofReturn: false
      } },
"profit_and_loss":
{ Args: { "from_date": string,"to_date": string }; Returns: {
              "account_id": string,"amount_minor": number,"code": string,"name": string,"section": string
            }[]
                           },
"record_payment":
{ Args: { "amount_minor": number,"client_key"?: string,"invoice_id": string,"method": string,"received_on"?: string,"reference"?: string }; Returns: {
              "amount_minor": number,
"client_key": string | null,
"created_at": string,
"created_by": string | null,
"currency": string,
"id": string,
"invoice_id": string,
"method": string,
"org_id": string,
"received_on": string,
"reference": string | null,
"reversal_reason": string | null,
"reversed_at": string | null,
"reversed_by": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "payments"
        isOneToOne: true
        isSetofReturn: false
      } },
"remove_member":
{ Args: { "user_id": string }; Returns: undefined
                           },
"request_calling_token":
{ Args: { "public_key": string }; Returns: {
              "created_at": string,
"error_code": string | null,
"expires_at": string,
"external_id": string | null,
"id": string,
"integration_id": string,
"nonce": string | null,
"org_id": string,
"provider": string,
"public_key": string,
"sealed": string | null,
"sip_username": string | null,
"state": string,
"user_id": string,
"wrapped_key": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "calling_tokens"
        isOneToOne: true
        isSetofReturn: false
      } },
"request_deletion":
{ Args: { "details"?: string,"subject_id"?: string,"subject_kind"?: string }; Returns: {
              "approved_by": string | null,
"authority": string,
"channel": string,
"closed_at": string | null,
"decided_by": string | null,
"decision": string | null,
"details": string | null,
"due_at": string,
"extended_until": string | null,
"extension_reason": string | null,
"granted": boolean | null,
"id": string,
"identity_level": number | null,
"identity_method": string | null,
"identity_verified_at": string | null,
"kind": string,
"org_id": string,
"provision": string | null,
"received_at": string,
"regime": string,
"requested_by": string | null,
"status": string,
"subject_conversation_id": string | null,
"subject_customer_id": string | null,
"subject_kind": string,
"subject_user_id": string | null,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "privacy_requests"
        isOneToOne: true
        isSetofReturn: false
      } },
"request_export":
{ Args: { "details"?: string,"kind"?: string,"subject_id"?: string,"subject_kind"?: string }; Returns: {
              "approved_by": string | null,
"authority": string,
"channel": string,
"closed_at": string | null,
"decided_by": string | null,
"decision": string | null,
"details": string | null,
"due_at": string,
"extended_until": string | null,
"extension_reason": string | null,
"granted": boolean | null,
"id": string,
"identity_level": number | null,
"identity_method": string | null,
"identity_verified_at": string | null,
"kind": string,
"org_id": string,
"provision": string | null,
"received_at": string,
"regime": string,
"requested_by": string | null,
"status": string,
"subject_conversation_id": string | null,
"subject_customer_id": string | null,
"subject_kind": string,
"subject_user_id": string | null,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "privacy_requests"
        isOneToOne: true
        isSetofReturn: false
      } },
"request_recipients":
{ Args: { "request_id": string }; Returns: {
              "last_at": string,"recipient": string,"state": string,"told_at": string
            }[]
                           },
"require_support_approval":
{ Args: { "required"?: boolean }; Returns: undefined
                           },
"reverse_entry":
{ Args: { "client_key"?: string,"entry_id": string,"on_date"?: string }; Returns: {
              "client_key": string | null,
"created_at": string,
"created_by": string | null,
"entry_date": string,
"id": string,
"invoice_id": string | null,
"line_count": number,
"memo": string | null,
"number": number,
"org_id": string,
"reverses_id": string | null,
"source": string,
"source_id": string | null,
"total_minor": number
            }
                          SetofOptions: {
        from: "*"
        to: "journal_entries"
        isOneToOne: true
        isSetofReturn: false
      } },
"reverse_payment":
{ Args: { "payment_id": string,"reason": string }; Returns: {
              "amount_minor": number,
"client_key": string | null,
"created_at": string,
"created_by": string | null,
"currency": string,
"id": string,
"invoice_id": string,
"method": string,
"org_id": string,
"received_on": string,
"reference": string | null,
"reversal_reason": string | null,
"reversed_at": string | null,
"reversed_by": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "payments"
        isOneToOne: true
        isSetofReturn: false
      } },
"revoke_invitation":
{ Args: { "invitation_id": string }; Returns: undefined
                           },
"revoke_support_access":
{ Args: { "grant_id": string }; Returns: boolean
                           },
"search_customers":
{ Args: { "max_rows"?: number,"query": string }; Returns: {
              "company_name": string | null,
"created_at": string,
"created_by": string | null,
"display_name": string,
"family_name": string | null,
"given_name": string | null,
"id": string,
"kind": string,
"locale": string | null,
"org_id": string,
"search_words": string | null,
"status": string,
"updated_at": string
            }[]
                          SetofOptions: {
        from: "*"
        to: "customers"
        isOneToOne: false
        isSetofReturn: true
      } },
"send_message":
{ Args: { "attachments"?: (string)[],"body"?: string,"client_key"?: string,"conversation_id": string }; Returns: {
              "attempts": number,
"body": string | null,
"channel_id": string,
"client_key": string | null,
"conversation_id": string,
"created_at": string,
"deleted_at": string | null,
"delivered_at": string | null,
"direction": string,
"edited_at": string | null,
"error_code": string | null,
"error_detail": string | null,
"external_id": string | null,
"id": string,
"occurred_at": string,
"org_id": string,
"origin": string,
"provider": string,
"read_at": string | null,
"sent_by": string | null,
"state": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "messages"
        isOneToOne: true
        isSetofReturn: false
      } },
"set_human_agent":
{ Args: { "channel_id": string,"enabled": boolean }; Returns: {
              "created_at": string,
"external_id": string,
"human_agent": boolean,
"id": string,
"integration_id": string,
"name": string,
"org_id": string,
"provider": string,
"status": string,
"sync_since": string | null,
"sync_state": string,
"synced_at": string | null,
"synced_messages": number,
"synced_threads": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "channels"
        isOneToOne: true
        isSetofReturn: false
      } },
"set_member_role":
{ Args: { "role": string,"user_id": string }; Returns: undefined
                           },
"set_phone_settings":
{ Args: { "allowed_countries"?: (string)[],"help_text"?: string,"quiet_from"?: string,"quiet_until"?: string,"recording"?: boolean,"recording_notice"?: string,"voicemail"?: boolean }; Returns: {
              "allowed_countries": (string)[],
"help_text": string | null,
"org_id": string,
"quiet_from": string | null,
"quiet_until": string | null,
"recording": boolean,
"recording_by": string | null,
"recording_notice": string | null,
"recording_since": string | null,
"updated_at": string,
"voicemail": boolean
            }
                          SetofOptions: {
        from: "*"
        to: "phone_settings"
        isOneToOne: true
        isSetofReturn: false
      } },
"set_retention":
{ Args: { "keep_days": number,"kind": string }; Returns: undefined
                           },
"start_call":
{ Args: { "channel_id": string,"client_key"?: string,"phone": string }; Returns: {
              "answered_at": string | null,
"cause": string | null,
"channel_id": string,
"client_key": string | null,
"conversation_id": string | null,
"created_at": string,
"direction": string,
"ended_at": string | null,
"external_control_id": string | null,
"external_id": string | null,
"external_session_id": string | null,
"from_number": string | null,
"handled_by": string | null,
"held_at": string | null,
"id": string,
"org_id": string,
"provider": string,
"started_at": string,
"state": string,
"to_number": string | null,
"tried_at": string | null,
"updated_at": string,
"voicemail": boolean,
"voicemail_at": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "calls"
        isOneToOne: true
        isSetofReturn: false
      } },
"start_checkout":
{ Args: { "billing_email"?: string,"plan": string }; Returns: {
              "created_at": string,
"error": string | null,
"expires_at": string | null,
"id": string,
"kind": string,
"org_id": string,
"plan": string | null,
"requested_by": string | null,
"state": string,
"stripe_session_id": string | null,
"updated_at": string,
"url": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "billing_requests"
        isOneToOne: true
        isSetofReturn: false
      } },
"start_conversation":
{ Args: { "channel_id": string,"phone": string }; Returns: {
              "channel_id": string,
"contact_checked_at": string | null,
"contact_external_id": string,
"contact_name": string | null,
"created_at": string,
"customer_id": string | null,
"delivered_until": string | null,
"id": string,
"last_inbound_at": string | null,
"last_message_at": string | null,
"org_id": string,
"provider": string,
"read_until": string | null,
"reply_until": string | null,
"status": string,
"unread_count": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "conversations"
        isOneToOne: true
        isSetofReturn: false
      } },
"switch_organization":
{ Args: { "org_id": string }; Returns: undefined
                           },
"tax_report":
{ Args: { "from_date": string,"to_date": string }; Returns: {
              "account_id": string,"code": string,"credit_minor": number,"debit_minor": number,"name": string,"owed_minor": number,"role": string,"taxable_minor": number
            }[]
                           },
"text_parts":
{ Args: { "body": string }; Returns: Json
                           },
"transfer_call":
{ Args: { "call_id": string,"phone"?: string,"user_id"?: string }; Returns: {
              "action": string,
"call_id": string,
"created_at": string,
"error_code": string | null,
"error_detail": string | null,
"id": string,
"org_id": string,
"provider": string,
"requested_by": string | null,
"state": string,
"target_number": string | null,
"target_user": string | null,
"tried_at": string | null,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "call_actions"
        isOneToOne: true
        isSetofReturn: false
      } },
"trial_balance":
{ Args: { "as_of": string }; Returns: {
              "account_id": string,"balance_minor": number,"code": string,"credit_minor": number,"debit_minor": number,"kind": string,"name": string
            }[]
                           },
"void_invoice":
{ Args: { "invoice_id": string,"reason": string }; Returns: {
              "balance_minor": number | null,
"bill_to_city": string | null,
"bill_to_country": string | null,
"bill_to_email": string | null,
"bill_to_line1": string | null,
"bill_to_line2": string | null,
"bill_to_name": string | null,
"bill_to_postal_code": string | null,
"bill_to_region": string | null,
"created_at": string,
"created_by": string | null,
"currency": string,
"customer_id": string,
"due_date": string | null,
"id": string,
"issue_date": string | null,
"issued_at": string | null,
"issued_by": string | null,
"memo": string | null,
"number": number | null,
"order_id": string | null,
"org_id": string,
"paid_minor": number,
"status": string,
"subtotal_minor": number,
"tax_minor": number,
"total_minor": number,
"updated_at": string,
"void_reason": string | null,
"voided_at": string | null,
"voided_by": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "invoices"
        isOneToOne: true
        isSetofReturn: false
      } },
"withdraw_consent":
{ Args: { "consent_id": string }; Returns: boolean
                           }
          }
          Enums: {
            [_ in never]: never
          }
          CompositeTypes: {
            [_ in never]: never
          }
        }
}

type DatabaseWithoutInternals = Omit<Database, '__InternalSupabase'>

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
  ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R
    }
    ? R
    : never
  : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I
    }
    ? I
    : never
  : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U
    }
    ? U
    : never
  : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
  ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
  ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never

export const Constants = {
  "public": {
          Enums: {
            
          }
        }
} as const
