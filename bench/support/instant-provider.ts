const PADDING = 'x'.repeat(120)

/** The number of a person in a code or token, wherever in a text it stands. */
export function personNumberOf (text: string): number {
  return Number(/IG(\d+)y/.exec(text)?.[1])
}

/** A code that the instant provider takes, as long as a real one. */
export function authorizationCodeOf (person: number): string {
  return `AQIG${person}y${PADDING}`
}

export function accessTokenOf (person: number, life: 'short' | 'long'): string {
  return `IG${person}y${life}${PADDING}`
}

/** What `/me` says of a person. */
export function profileOf (person: number) {
  return {
    id: String(20_000_000_000_000_000n + BigInt(person)),
    user_id: String(17_841_400_000_000_000n + BigInt(person)),
    username: `person.${person}`,
    name: `Person ${person}`,
    account_type: 'BUSINESS',
    profile_picture_url: `https://pictures.example/v/t51.2885-19/${person}.jpg`
  }
}
