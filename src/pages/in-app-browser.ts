const MAX_LENGTH = 512

// A webview inside an app names the app; Android's plain one says `; wv)`.
const IN_APP = new RegExp([
  'Instagram', 'FBA[NV]/', 'FB_IAB', 'FBIOS', 'Barcelona ', 'musical_ly', 'BytedanceWebview', 'TikTok', 'trill_',
  ' Line/', 'Twitter for', 'Snapchat', 'Pinterest/', 'LinkedInApp', 'MicroMessenger', 'KAKAOTALK', 'NAVER\\(inapp', '; wv\\)'
].join('|'))

/**
 * True when a `User-Agent` is that of a browser inside an app. Such a browser often loses cookies
 * between two pages, or hands the second one to another browser. Reads the first 512 characters only.
 */
export function isInAppBrowser (userAgent: string | undefined): boolean {
  return userAgent !== undefined && IN_APP.test(userAgent.slice(0, MAX_LENGTH))
}
