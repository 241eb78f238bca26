// Redirect URIs that differ from a registered one by what browsers, parsers and people overlook.
export const REGISTERED = [
  'https://shop.example/?leadlatch=callback', 'https://shop.example/auth/callback', 'http://127.0.0.1:8080/cb'
]

export const TRAPS: Readonly<Record<string, readonly string[]>> = {
  scheme: [
    'http://shop.example/auth/callback',
    'HTTPS://shop.example/auth/callback',
    'https:shop.example/auth/callback',
    'https:/shop.example/auth/callback',
    'https:///shop.example/auth/callback',
    '//shop.example/auth/callback',
    'javascript:alert(1)//https://shop.example/auth/callback',
    'data:text/html,https://shop.example/auth/callback'
  ],
  host: [
    'https://SHOP.example/auth/callback',
    'https://shop.example./auth/callback',
    'https://shop.example.evil.test/auth/callback',
    'https://evilshop.example/auth/callback',
    'https://sub.shop.example/auth/callback',
    'https://evil.test/https://shop.example/auth/callback',
    'https://shop.exam\u200bple/auth/callback',
    'https://\u0455hop.example/auth/callback',
    'https://shop\u3002example/auth/callback',
    'https://shop%2eexample/auth/callback',
    'https://sh\u00adop.example/auth/callback'
  ],
  userinfo: [
    'https://shop.example@evil.test/auth/callback',
    'https://shop.example:x@evil.test/auth/callback',
    'https://a@b@shop.example/auth/callback',
    'https://user@shop.example/auth/callback',
    'https://@shop.example/auth/callback',
    'https://evil.test%40shop.example/auth/callback'
  ],
  slashes: [
    'https://evil.test\\@shop.example/auth/callback',
    'https://shop.example\\auth\\callback',
    'https://evil.test#@shop.example/auth/callback',
    'https://evil.test?@shop.example/auth/callback',
    'https://evil.test;@shop.example/auth/callback'
  ],
  port: [
    'https://shop.example:443/auth/callback',
    'https://shop.example:/auth/callback',
    'https://shop.example:8443/auth/callback',
    'http://127.0.0.1:8081/cb',
    'http://localhost:8080/cb',
    'http://127.1:8080/cb',
    'http://0x7f000001:8080/cb',
    'http://[::1]:8080/cb',
    'http://[::ffff:127.0.0.1]:8080/cb'
  ],
  path: [
    'https://shop.example/auth/callback/',
    'https://shop.example//auth/callback',
    'https://shop.example/auth/Callback',
    'https://shop.example/auth/./callback',
    'https://shop.example/x/../auth/callback',
    'https://shop.example/auth/callback/../../x',
    'https://shop.example/auth/callback/%2e%2e/x',
    'https://shop.example/auth%2fcallback',
    'https://shop.example/auth/c%61llback',
    'https://shop.example/auth/callback..;/x',
    'https://shop.example/auth/callback;x=1',
    'https://shop.example/auth/callback*',
    'https://shop.example/auth/callback%00',
    'https://shop.example/auth/callback%0d%0aSet-Cookie:x=1'
  ],
  query: [
    'https://shop.example/?leadlatch=callback&',
    'https://shop.example/?leadlatch=callback&next=//evil.test',
    'https://shop.example/?LEADLATCH=callback',
    'https://shop.example?leadlatch=callback',
    'https://shop.example/?leadlatch=callback&leadlatch=callback',
    'https://shop.example/?leadlatch=c%61llback',
    'https://shop.example/auth/callback?',
    'https://shop.example/auth/callback?code=x&state=y'
  ],
  fragment: [
    'https://shop.example/auth/callback#',
    'https://shop.example/auth/callback#_=_',
    'https://shop.example/auth/callback%23'
  ],
  whitespace: [
    ' https://shop.example/auth/callback',
    'https://shop.example/auth/callback ',
    '\thttps://shop.example/auth/callback',
    'https://shop.example/auth/call\nback',
    'https://shop.example/auth/callback\r\nX-Injected: 1',
    'https://shop.example/auth/callback\u0000',
    '\ufeffhttps://shop.example/auth/callback',
    'https://shop.example/auth/callback\u202e'
  ],
  shape: [
    '',
    'null',
    '*',
    '/auth/callback',
    'https://shop.example/auth/callback,https://evil.test/',
    'https://shop.example/auth/callback https://evil.test/'
  ]
}
