/**
 * CAS: the browser brings a ticket back, which the server exchanges once for a user name (CAS protocol 3.0, section
 * 2.5, `/serviceValidate`).
 */
import { type ProviderOptions } from '../../configuration/identityproviders.js'
import { providerHttp } from './http.js'
import { type CallbackProvider, nonsense, ProviderError } from './interface.js'
import { trustFrom } from './tls.js'

const NAMESPACE = 'http://www.yale.edu/tp/cas'

/** @throws Error when the authorities to trust cannot be read */
export function casProvider(options: ProviderOptions<'CASIdentityProvider'>): CallbackProvider {
  const http = providerHttp(trustFrom(options))
  return {
    kind: 'callback',
    async exchange(query, signal) {
      const ticket = query.get('ticket') ?? ''
      if (ticket === '') throw new ProviderError('refused', 'the identity provider sent no ticket')
      const url = validationURL(options.casServerURL)
      url.searchParams.set('service', options.redirectURL)
      url.searchParams.set('ticket', ticket)
      const answer = await http(url.href, { headers: { accept: 'application/xml, text/xml' } }, signal)
      if (answer.status !== 200) throw nonsense(`ticket validation answered ${answer.status}`)
      const username = await userIn(answer.text)
      return { uid: username, username, email: '' }
    },
  }
}

/** The address may be that of the server or of its login page, which the console links to. */
function validationURL(casServerURL: string): URL {
  return new URL(`${casServerURL.replace(/\/+$/, '').replace(/\/login$/, '')}/serviceValidate`)
}

/** @throws ProviderError */
async function userIn(text: string): Promise<string> {
  // Only installations with such a provider pay for it.
  const { DOMParser, onErrorStopParsing } = await import('@xmldom/xmldom')
  let root
  try {
    root = new DOMParser({ onError: onErrorStopParsing }).parseFromString(text, 'text/xml').documentElement
  } catch (error) {
    throw new ProviderError('unavailable', nonsense('').message, { cause: error })
  }
  // Only where the protocol has it: an attribute of the user could be named like this, too.
  const success = childOf(root, 'authenticationSuccess')
  const user = childOf(success, 'user')?.textContent?.trim() ?? ''
  if (user !== '') return user
  const code = childOf(root, 'authenticationFailure')?.getAttribute('code') ?? ''
  if (code === '') throw nonsense('ticket validation answered neither success nor failure')
  const word = /^[\w-]{1,64}$/.test(code) ? `: ${code}` : ''
  throw new ProviderError('refused', `the identity provider refused the ticket${word}`)
}

interface XmlElement {
  readonly namespaceURI: string | null
  readonly localName: string | null
  readonly textContent: string | null
  readonly childNodes: ArrayLike<unknown>
  getAttribute(name: string): string | null
}

function childOf(parent: XmlElement | null | undefined, name: string): XmlElement | undefined {
  const nodes = Array.from(parent?.childNodes ?? []) as XmlElement[]
  return nodes.find(({ namespaceURI, localName }) => namespaceURI === NAMESPACE && localName === name)
}
