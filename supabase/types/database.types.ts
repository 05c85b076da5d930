// Written by `make types` from the migrated schema.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
  
  "public": {
          Tables: {
            "channels": {
                  Row: {
                    "created_at": string,"external_id": string,"id": string,"integration_id": string,"name": string,"org_id": string,"provider": string,"status": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"external_id": string,"id"?: string,"integration_id": string,"name": string,"org_id": string,"provider": string,"status"?: string,"updated_at"?: string
                  }
                  Update: {
                    "created_at"?: string,"external_id"?: string,"id"?: string,"integration_id"?: string,"name"?: string,"org_id"?: string,"provider"?: string,"status"?: string,"updated_at"?: string
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
                },"conversations": {
                  Row: {
                    "channel_id": string,"contact_external_id": string,"contact_name": string | null,"created_at": string,"delivered_until": string | null,"id": string,"last_inbound_at": string | null,"last_message_at": string | null,"org_id": string,"provider": string,"read_until": string | null,"status": string,"unread_count": number,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "channel_id": string,"contact_external_id": string,"contact_name"?: string | null,"created_at"?: string,"delivered_until"?: string | null,"id"?: string,"last_inbound_at"?: string | null,"last_message_at"?: string | null,"org_id": string,"provider": string,"read_until"?: string | null,"status"?: string,"unread_count"?: number,"updated_at"?: string
                  }
                  Update: {
                    "channel_id"?: string,"contact_external_id"?: string,"contact_name"?: string | null,"created_at"?: string,"delivered_until"?: string | null,"id"?: string,"last_inbound_at"?: string | null,"last_message_at"?: string | null,"org_id"?: string,"provider"?: string,"read_until"?: string | null,"status"?: string,"unread_count"?: number,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "conversations_channel_fkey"
      columns: ["org_id","channel_id","provider"]
isOneToOne: false
      referencedRelation: "channels"
      referencedColumns: ["org_id","id","provider"]
    }
                  ]
                },"integrations": {
                  Row: {
                    "account_name": string | null,"connected_at": string | null,"consent_id": string,"consent_live": boolean | null,"created_at": string,"created_by": string | null,"disconnected_at": string | null,"error": string | null,"external_account_id": string | null,"id": string,"last_synced_at": string | null,"org_id": string,"provider": string,"scopes": (string)[],"status": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "account_name"?: string | null,"connected_at"?: string | null,"consent_id": string,"consent_live"?: never,"created_at"?: string,"created_by"?: string | null,"disconnected_at"?: string | null,"error"?: string | null,"external_account_id"?: string | null,"id"?: string,"last_synced_at"?: string | null,"org_id": string,"provider": string,"scopes"?: (string)[],"status"?: string,"updated_at"?: string
                  }
                  Update: {
                    "account_name"?: string | null,"connected_at"?: string | null,"consent_id"?: string,"consent_live"?: never,"created_at"?: string,"created_by"?: string | null,"disconnected_at"?: string | null,"error"?: string | null,"external_account_id"?: string | null,"id"?: string,"last_synced_at"?: string | null,"org_id"?: string,"provider"?: string,"scopes"?: (string)[],"status"?: string,"updated_at"?: string
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
                },"memberships": {
                  Row: {
                    "created_at": string,"org_id": string,"role": string,"updated_at": string,"user_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"org_id": string,"role": string,"updated_at"?: string,"user_id": string
                  }
                  Update: {
                    "created_at"?: string,"org_id"?: string,"role"?: string,"updated_at"?: string,"user_id"?: string
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
                }
          }
          Views: {
            [_ in never]: never
          }
          Functions: {
            "accept_invitation":
{ Args: { "token": string }; Returns: string
                           },
"begin_connection":
{ Args: { "provider": string }; Returns: Json
                           },
"complete_connection":
{ Args: { "code": string,"state": string }; Returns: {
              "account_name": string | null,
"connected_at": string | null,
"consent_id": string,
"consent_live": boolean | null,
"created_at": string,
"created_by": string | null,
"disconnected_at": string | null,
"error": string | null,
"external_account_id": string | null,
"id": string,
"last_synced_at": string | null,
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
"disconnect_integration":
{ Args: { "integration_id": string }; Returns: boolean
                           },
"invite_member":
{ Args: { "email": string,"role": string }; Returns: {
              "invitation_id": string,"token": string
            }[]
                           },
"mark_conversation_read":
{ Args: { "conversation_id": string }; Returns: undefined
                           },
"remove_member":
{ Args: { "user_id": string }; Returns: undefined
                           },
"revoke_invitation":
{ Args: { "invitation_id": string }; Returns: undefined
                           },
"send_message":
{ Args: { "body": string,"client_key"?: string,"conversation_id": string }; Returns: {
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
"set_member_role":
{ Args: { "role": string,"user_id": string }; Returns: undefined
                           },
"switch_organization":
{ Args: { "org_id": string }; Returns: undefined
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
