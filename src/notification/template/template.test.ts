import { describe, expect, it } from 'vitest'
import { functions, TemplateSet } from './index.js'

const render = (source: string, data: unknown = {}, form: 'text' | 'html' = 'text'): string =>
  new TemplateSet().render(
    source,
    data,
    functions((key) => key),
    form,
  )

describe('templates', () => {
  it.each([
    ['{{ .a }}-{{.b.c}}', { a: 1, b: { c: 'x' } }, '1-x'],
    ['a {{- 1 -}} b', {}, 'a1b'],
    ['{{/* nothing */}}x{{- /* y */ -}} z', {}, 'xz'],
    ['{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}', {}, '2'],
    ['{{ range $i, $v := .l }}{{ $i }}={{ $v }};{{ else }}none{{ end }}', { l: ['a', 'b'] }, '0=a;1=b;'],
    ['{{ range .l }}{{ . }}{{ else }}none{{ end }}', { l: [] }, 'none'],
    ['{{ range $k, $v := .m }}{{ $k }}{{ $v }}{{ end }}', { m: { b: 2, a: 1 } }, 'a1b2'],
    [
      '{{ range .l }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ if eq . 4 }}{{ break }}{{ end }}{{ . }}{{ end }}',
      { l: [1, 2, 3, 4, 5] },
      '13',
    ],
    ['{{ if and .a (gt .a 1) }}x{{ else if eq .b "y" "z" }}y{{ else }}z{{ end }}', { a: 1, b: 'z' }, 'y'],
    ['{{ with .a }}{{ . }}{{ $.b }}{{ else }}none{{ end }}', { a: 'A', b: 'B' }, 'AB'],
    [
      '{{ define "t" }}<{{ . }}>{{ end }}{{ template "t" .a }}{{ block "u" . }}{{ .a }}{{ end }}',
      { a: 1 },
      '<1>1',
    ],
    ['{{ printf "%-4s|%03d|%q|%v" "ab" 7 "x" .l }}', { l: [1, 2] }, 'ab  |007|"x"|[1 2]'],
    ['{{ "x" | printf "%s%s" "a" | toUpper }}', {}, 'AX'],
    ['{{ index .m "a b" }}{{ index .l 1 }}{{ len .l }}', { m: { 'a b': 1 }, l: [1, 2] }, '122'],
    ['{{ (index .l 0).a }}', { l: [{ a: 5 }] }, '5'],
    ['{{ reReplaceAll "(a+)" "<$1>" "baab" }}{{ match "^b" "ba" }}', {}, 'b<aa>btrue'],
    ['{{ join ", " (stringSlice "a" "b") }}{{ `raw "x"` }}{{ title "big one" }}', {}, 'a, braw "x"Big One'],
    ['{{ "say \\"}}\\"" }}', {}, 'say "}}"'],
    ['{{ .missing }}|{{ .a.b.c }}', { a: {} }, '<no value>|<no value>'],
  ])('render %s', (source, data, text) => {
    expect(render(source, data)).toBe(text)
  })

  it('escape what they print into HTML, but neither themselves nor what is called safe', () => {
    const source =
      '<b>{{ .a }}</b>{{ safeHtml .b }}{{ define "t" }}<i>{{ . }}</i>{{ end }}{{ template "t" .a }}'

    expect(render(source, { a: '<x>', b: '<y>' }, 'html')).toBe('<b>&lt;x&gt;</b><y><i>&lt;x&gt;</i>')
  })

  it('cannot keep the process busy, or reach what is no data', () => {
    expect(() => render('{{ define "t" }}{{ template "t" . }}{{ end }}{{ template "t" . }}')).toThrow(
      'too deeply',
    )
    const nested = '{{ range $.l }}'.repeat(8) + 'x' + '{{ end }}'.repeat(8)
    expect(() => render(nested, { l: new Array(20).fill(1) })).toThrow(/come to an end|too long/)
    expect(render('{{ .constructor }}{{ .__proto__ }}')).toBe('<no value><no value>')
    expect(() => render('{{ if }}x{{ end }}')).toThrow('missing value')
    expect(() => render('{{ if .a }}x')).toThrow('{{end}} is missing')
    expect(() => render('{{ nosuch 1 }}')).toThrow('not defined')
  })
})
