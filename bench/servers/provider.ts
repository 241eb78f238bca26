import { createServer, type ServerResponse } from 'node:http'
import { listen } from '../support/in-child.ts'
import { accessTokenOf, personNumberOf, profileOf } from '../support/instant-provider.ts'

// Instagram as fast as it can be: any code is good, and the person's number is in it.
listen(createServer((request, response) => {
  const url = request.url ?? ''
  if (request.method === 'POST') {
    let form = ''
    request.setEncoding('latin1').on('data', (chunk: string) => { form += chunk }).on('end', () => {
      const person = personNumberOf(form)
      send(response, { access_token: accessTokenOf(person, 'short'), user_id: profileOf(person).user_id, permissions: ['instagram_business_basic'] })
    })
  } else if (url.startsWith('/me?')) send(response, profileOf(personNumberOf(url)))
  else send(response, { access_token: accessTokenOf(personNumberOf(url), 'long'), token_type: 'bearer', expires_in: 5_183_944 })
}))

function send (response: ServerResponse, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
}
