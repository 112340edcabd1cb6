/** The templates that are there before anybody writes one, and what a message looks like without. */

export const DEFAULT_TEMPLATES = `
{{ define "nm.default.message" }}{{ if ne .Status "" }}[{{ .Status | translate }}] {{ end }}{{ message . }}{{ end }}
{{ define "nm.default.subject" }}{{ if eq (len .Alerts) 1 }}{{ range .Alerts }}{{ template "nm.default.message" . }}{{ end }}{{ else }}{{ .Alerts | len }} {{ if ne .Status "" }}{{ .Status | translate }} {{ end }}alerts for {{ range .GroupLabels.SortedPairs }} {{ .Name | translate }}={{ .Value }} {{ end }}{{ end }}{{ end }}
{{ define "nm.default.text" }}{{ range .Alerts }}{{ template "nm.default.message" . }}
{{ range .Labels.SortedPairs }}  {{ .Name | translate }}: {{ .Value }}
{{ end }}{{ range .Annotations.SortedPairs.DefaultFilter }}  {{ .Name | translate }}: {{ .Value }}
{{ end }}
{{ end }}{{ end }}
{{ define "nm.default.markdown" }}{{ range .Alerts }}### {{ template "nm.default.message" . }}
{{ range .Labels.SortedPairs }}- {{ .Name | translate }}: {{ .Value }}
{{ end }}{{ range .Annotations.SortedPairs.DefaultFilter }}- {{ .Name | translate }}: {{ .Value }}
{{ end }}
{{ end }}{{ end }}
{{ define "nm.default.html.rows" }}{{ range . }}<tr><td style="padding:2px 12px 2px 0;color:#79879c">{{ .Name | translate }}</td><td style="padding:2px 0">{{ .Value }}</td></tr>
{{ end }}{{ end }}
{{ define "nm.default.html" }}<!DOCTYPE html>
<html><body style="font-family:sans-serif;font-size:14px;color:#242e42">
<h2 style="font-size:18px">{{ len .Alerts }} {{ if ne .Status "" }}{{ .Status | translate }} {{ end }}alert{{ if gt (len .Alerts) 1 }}s{{ end }}{{ range .GroupLabels.SortedPairs }} {{ .Name | translate }}={{ .Value }}{{ end }}</h2>
{{ range .Alerts }}<section style="border-top:1px solid #ccd3db;padding:8px 0">
<h3 style="font-size:15px;color:{{ if eq .Status "resolved" }}#00aa72{{ else }}#ab2f29{{ end }}">{{ template "nm.default.message" . }}</h3>
<table>
{{ template "nm.default.html.rows" .Labels.SortedPairs }}{{ template "nm.default.html.rows" .Annotations.SortedPairs.DefaultFilter }}</table>
</section>
{{ end }}</body></html>{{ end }}
{{ define "nm.feishu.text" }}{{ template "nm.default.text" . }}{{ end }}
{{ define "nm.feishu.post" }}{"en_us":{"content":[{{ range $i, $alert := .Alerts }}{{ if gt $i 0 }},{{ end }}[{"tag":"text","text":"{{ message $alert | escape }}"}]{{ range $alert.Labels.SortedPairs }},[{"tag":"text","text":"  {{ .Name | translate | escape }}: {{ .Value | escape }}"}]{{ end }}{{ end }}]}}{{ end }}
`

/** These two are no templates: the data itself, as JSON. */
export const DATA_TEMPLATES: ReadonlySet<string> = new Set(['webhook.default.message', 'nm.default.history'])

export const ENGLISH: Readonly<Record<string, string>> = { firing: 'FIRING', resolved: 'RESOLVED' }
