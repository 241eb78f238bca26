/** The two Instagram logins that are emulated: today's Instagram Login, and the retired Basic Display. */
export type FlavourName = 'instagram' | 'basicDisplay'

/** What tells one flavour from the other. All of it is data: both run through the same code. */
export type Flavour = {
  /** Scopes that the authorization window knows. */
  scopes: readonly string[]
  /** The scope without which nothing can be asked, or null when there is none. */
  requiredScope: string | null
  /** The scope without which the profile cannot be read. */
  profileScope: string
  /** Field names that `/me` knows; any other name fails the whole call. */
  profileFields: readonly string[]
  /** How access tokens begin. */
  tokenPrefix: string
  /** Whether personal accounts can log in. */
  admitsPersonal: boolean
}

/** The flavours by name. */
export const flavours: Readonly<Record<FlavourName, Flavour>> = {
  instagram: {
    scopes: [
      'instagram_business_basic',
      'instagram_business_content_publish',
      'instagram_business_manage_comments',
      'instagram_business_manage_messages',
      'instagram_business_manage_insights',
    ],
    requiredScope: null,
    profileScope: 'instagram_business_basic',
    profileFields: ['id', 'user_id', 'username', 'name', 'account_type', 'profile_picture_url', 'media_count'],
    tokenPrefix: 'IGAA',
    admitsPersonal: false,
  },
  basicDisplay: {
    scopes: ['user_profile', 'user_media'],
    requiredScope: 'user_profile',
    profileScope: 'user_profile',
    profileFields: ['id', 'username', 'account_type', 'media_count'],
    tokenPrefix: 'IGQV',
    admitsPersonal: true,
  },
}
