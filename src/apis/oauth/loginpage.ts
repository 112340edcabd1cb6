/**
 * The login page of the authorize endpoint: one file, no script, nothing loaded from elsewhere.
 *
 * The parameters of the request travel in hidden fields and come back with the user name and password.
 */

/** Parameters that the form sends back; anything else in the address is dropped. */
const CARRIED = [
  'client_id',
  'response_type',
  'redirect_uri',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
]

export const PAGE_HEADERS: Record<string, string> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  // form-action is left open: browsers apply it to the redirect back to the client as well.
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { display: grid; min-height: 100vh; margin: 0; place-items: center; }
form { display: grid; gap: .75rem; width: min(20rem, 90vw); }
h1 { font-size: 1.25rem; margin: 0; }
p { margin: 0; }
label { display: grid; gap: .25rem; font-size: .875rem; }
input, button { font: inherit; padding: .5rem .75rem; border: 1px solid #8888; border-radius: .375rem; }
button { background: #2563eb; border-color: #2563eb; color: #fff; cursor: pointer; }
[role=alert] { color: #dc2626; }`

export function loginPage(client: string, parameters: URLSearchParams, problem = ''): string {
  const hidden = CARRIED.flatMap((name) => {
    const value = parameters.get(name)
    return value === null ? [] : [`<input type="hidden" name="${name}" value="${escaped(value)}">`]
  })
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Log in</title>
<style>${STYLE}</style>
</head>
<body>
<form method="post" action="authorize">
<h1>Log in</h1>
<p>to continue to <strong>${escaped(client)}</strong></p>
${problem === '' ? '' : `<p role="alert">${escaped(problem)}</p>\n`}<label>User name or e-mail
<input name="username" value="${escaped(parameters.get('username') ?? '')}" autocomplete="username" autofocus required></label>
<label>Password
<input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
${hidden.join('\n')}
</form>
</body>
</html>
`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
