package site

import (
	"html"
	"net/http"
	"strings"

	"rapport/internal/fault"
)

var errNoView = fault.New(fault.NotFound, "there is no such message to show")

// viewPolicy is that of a message shown in the browser: styles and pictures, an
// origin of its own, no script and no forms.
const viewPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// view shows a message in the browser. The link may have been forwarded with the
// mail, so the page holds nothing beyond the mail, and no link on it acts for the
// customer or counts them.
func (s *Site) view(w http.ResponseWriter, r *http.Request) {
	t, ok := s.token(r, ViewLink)
	if !ok {
		s.missing(w, r)
		return
	}
	v := s.visit(r, t.Profile)
	body, err := s.o.Customers.View(r.Context(), t.Delivery)
	switch {
	case fault.Is(err, fault.NotFound):
		s.missing(w, r)
		return
	case err != nil:
		s.o.Log.Error("showing a message", "error", err)
		s.later(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", viewPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	w.Write([]byte(noted(body, v.lang, v.Say("view.note")))) // an error means that the reader has gone
}

// noted puts a note above a message.
func noted(body, lang, note string) string {
	box := `<div role="note" lang="` + lang + `" style="margin:0;padding:12px 16px;background:#fff8e1;color:#3d3413;font:14px/1.4 sans-serif;text-align:center">` + html.EscapeString(note) + `</div>`
	low := strings.ToLower(body)
	if i := strings.Index(low, "<body"); i >= 0 {
		if end := strings.IndexByte(low[i:], '>'); end >= 0 {
			at := i + end + 1
			return body[:at] + box + body[at:]
		}
	}
	return box + body
}

// ownCopy is where the links of a message shown in the browser lead that act for
// the customer in the mail itself.
func (s *Site) ownCopy(w http.ResponseWriter, r *http.Request) {
	v := s.visit(r, [16]byte{})
	s.show(w, &v, http.StatusOK, "message", page{Title: v.Say("own.title"), Text: v.Say("own.text")})
}
