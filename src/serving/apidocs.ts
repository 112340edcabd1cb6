/**
 * The browsable page of the API: one self-contained document, no asset from elsewhere.
 *
 * The page is public and holds nothing; what it shows is the OpenAPI document, which needs credentials. They
 * are asked for here, and the token stays in the memory of the page.
 */
export const APIDOCS_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>API</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; color-scheme: light dark }
  form, #find { display: flex; gap: .5rem; flex-wrap: wrap; margin: 1rem 0 }
  input { font: inherit; padding: .3rem .5rem } #find input { flex: 1 }
  summary { cursor: pointer; padding: .15rem 0 } code, pre { font: 13px/1.45 ui-monospace, monospace }
  pre { background: #8882; overflow: auto; padding: .6rem } .verb { display: inline-block; width: 4.5rem; font-weight: 600 }
  .open { opacity: .65 } [role=alert] { color: #c33 } h2 { margin: 1.5rem 0 .3rem; font-size: 1.1rem }
</style>
<h1>API</h1>
<form id="login">
  <input name="username" placeholder="user" autocomplete="username" required>
  <input name="password" type="password" placeholder="password" autocomplete="current-password" required>
  <button>Show the API</button><span role="alert"></span>
</form>
<div id="find" hidden><input type="search" placeholder="path or words" aria-label="find"></div>
<main></main>
<script>
'use strict'
const $ = (selector) => document.querySelector(selector)
const make = (tag, text, name) => {
  const element = document.createElement(tag)
  if (text !== undefined) element.textContent = text
  if (name) element.className = name
  return element
}
$('#login').addEventListener('submit', async (event) => {
  event.preventDefault()
  const body = new URLSearchParams(new FormData(event.target))
  body.set('grant_type', 'password'); body.set('client_id', 'kubesphere'); body.set('client_secret', 'kubesphere')
  try {
    const login = await fetch('/oauth/token', { method: 'POST', body })
    const grant = await login.json()
    if (!login.ok) throw new Error(grant.error_description || 'login refused')
    const answer = await fetch('/apidocs/openapi.json', { headers: { Authorization: 'Bearer ' + grant.access_token } })
    if (!answer.ok) throw new Error('the document was refused: ' + answer.status)
    show(await answer.json())
    event.target.hidden = true; $('#find').hidden = false
  } catch (error) { $('[role=alert]').textContent = error.message }
})
function show(document_) {
  $('h1').textContent = document_.info.title + ' ' + document_.info.version
  const sections = new Map(document_.tags.map(({ name }) => {
    const section = make('section'); section.append(make('h2', name)); $('main').append(section)
    return [name, section]
  }))
  for (const [path, operations] of Object.entries(document_.paths)) {
    for (const [verb, operation] of Object.entries(operations)) {
      const row = make('details'), line = make('summary')
      line.append(make('span', verb.toUpperCase(), 'verb'), make('code', path), ' ', make('span', operation.summary, 'open'))
      row.append(line)
      row.dataset.text = (verb + ' ' + path + ' ' + operation.summary).toLowerCase()
      row.addEventListener('toggle', () => {
        if (row.children.length > 1) return
        const { parameters, requestBody, responses } = operation
        row.append(make('pre', JSON.stringify({ parameters, requestBody, responses }, null, 2)))
      })
      sections.get(operation.tags[0]).append(row)
    }
  }
}
$('#find input').addEventListener('input', ({ target }) => {
  const words = target.value.toLowerCase().split(/\\s+/)
  for (const row of document.querySelectorAll('details')) row.hidden = !words.every((word) => row.dataset.text.includes(word))
  for (const section of document.querySelectorAll('section')) section.hidden = !section.querySelector('details:not([hidden])')
})
</script>
</html>
`
