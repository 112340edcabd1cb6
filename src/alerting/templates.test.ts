import { describe, expect, it } from 'vitest'
import { templateFault } from './templates.js'

describe('templates of alerts', () => {
  it.each([
    'plain text, } and { too',
    '{{ $labels.instance }} is at {{ $value | humanize }}%',
    '{{- if gt $value 1.0 -}} high {{- else if eq $labels.a "b" -}} b {{ else }} low {{ end }}',
    '{{ range $i, $v := query "up" }}{{ $i }}{{ $v.Labels.job }}{{ end }}',
    '{{ with $x := index $labels "a-b" }}{{ . }}{{ $x }}{{ end }}',
    '{{/* }} a comment {{ */}}done',
    '{{ "a }} b" }}{{ `raw }}` }}',
    '{{ printf "%.2f" ($value) }}',
    '{{ define "x" }}a{{ end }}{{ template "x" }}',
    '{{$labels.query}}',
  ])('%s can be read', (text) => {
    expect(templateFault(text)).toBeUndefined()
  })

  it.each([
    ['{{ $labels.a', 'unclosed action'],
    ['{{ nosuch }}', 'function "nosuch" not defined'],
    ['{{ $nosuch }}', 'undefined variable "$nosuch"'],
    ['{{ if $value }}', 'unexpected EOF'],
    ['{{ end }}', 'unexpected {{end}}'],
    ['{{ else }}', 'unexpected {{else}}'],
    ['{{ }}', 'missing value for command'],
    ['{{ "open }}', 'unexpected "\\"" in action'],
    ['{{ constructor }}', 'function "constructor" not defined'],
  ])('%s cannot: %s', (text, fault) => {
    expect(templateFault(text)).toBe(fault)
  })

  it.each([
    '{{ query "up" }}',
    '{{query"up"}}',
    '{{- query "up" -}}',
    '{{ range query `up` }}{{ end }}',
    '{{ "a }} {{" | query }}',
    '{{ if true }}{{ with (query "up") }}{{ end }}{{ end }}',
    '{{/* a */}}{{ query "up" }}',
    '{{"{{/*"}}{{ query "up" }}{{"*/}}"}}',
  ])('%s does not get around a function that is refused', (text) => {
    expect(templateFault(text, { refused: { query: 'no' } })).toBe('function "query" is not allowed: no')
  })
})
