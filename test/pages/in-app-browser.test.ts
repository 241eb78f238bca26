import { test } from 'tap'
import { isInAppBrowser } from '../../src/pages/in-app-browser.ts'

const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)'
const ANDROID = 'Mozilla/5.0 (Linux; Android 15; Pixel 9 Build/AP4A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0 Mobile Safari/537.36'

test('browsers inside apps are told from browsers', async (t) => {
  const cases: [userAgent: string | undefined, isInApp: boolean, name: string][] = [
    [`${IPHONE} Mobile/15E148 Instagram 389.0.0.24.82 (iPhone16,1; iOS 18_5; en_US)`, true, 'Instagram on iOS'],
    [`${ANDROID} Instagram 389.0.0.40.87 Android`, true, 'Instagram on Android'],
    [`${IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/520.0.0.38.101;FBDV/iPhone16,1]`, true, 'Facebook on iOS'],
    [`${ANDROID} [FB_IAB/FB4A;FBAV/520.0.0.45.109;]`, true, 'Facebook on Android'],
    [`${IPHONE} Mobile/15E148 musical_ly_39.8.0 BytedanceWebview/d8a21c6`, true, 'TikTok'],
    [`${IPHONE} Safari Line/15.7.0`, true, 'Line'],
    [`${IPHONE} Mobile/15E148 Barcelona 389.0.0.31.77`, true, 'Threads'],
    [`${IPHONE} Mobile/15E148 MicroMessenger/8.0.60(0x18003c2c)`, true, 'WeChat'],
    [ANDROID, true, 'another webview on Android'],
    [`${IPHONE} Version/18.5 Mobile/15E148 Safari/604.1`, false, 'Safari'],
    ['Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36', false, 'Chrome'],
    ['Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0', false, 'Firefox'],
    ['', false, 'an empty one'],
    [undefined, false, 'none'],
    [' '.repeat(512) + 'Instagram', false, 'beyond the first 512 characters']
  ]
  for (const [userAgent, isInApp, name] of cases) t.equal(isInAppBrowser(userAgent), isInApp, name)
})
