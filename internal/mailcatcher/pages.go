package mailcatcher

import (
	"bytes"
	"embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"rapport/internal/fault"
)

//go:embed pages
var files embed.FS

var pages = template.Must(template.ParseFS(files, "pages/*.html"))

// The policies. A page of ours takes its own style sheet and frames its own
// mails, nothing else. A mail is a stranger's document: it gets styles and
// pictures, an origin of its own, and no script. Its pictures may come from
// anywhere, because loading them is what opening a mail is.
const (
	pagePolicy = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline' https: http:; img-src https: http: data:; font-src https: http: data:; form-action 'none'; frame-ancestors 'self'"
)

// view is what a page shows.
type view struct {
	Mount, Title, To string
	Stats            Stats
	Mails            []Mail
	Older            int
	Mail             Mail
	View, Body       string
	HasHTML, HasText bool
}

// Handler returns the pages on which people read the mails. Mount is the path
// under which it is mounted, without a slash at its end; empty for the root. The
// pages need no script, and everything in them that came by mail is treated as
// a stranger's.
func (c *Catcher) Handler(mount string) http.Handler {
	mount = strings.TrimRight(mount, "/")
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+mount+"/{$}", func(w http.ResponseWriter, r *http.Request) { c.list(w, r, mount) })
	mux.HandleFunc("GET "+mount+"/mail/{id}", func(w http.ResponseWriter, r *http.Request) { c.one(w, r, mount) })
	mux.HandleFunc("GET "+mount+"/mail/{id}/html", func(w http.ResponseWriter, r *http.Request) { c.html(w, r, mount) })
	mux.HandleFunc("GET "+mount+"/mail/{id}/source", func(w http.ResponseWriter, r *http.Request) { c.source(w, r, mount) })
	mux.HandleFunc("GET "+mount+"/mails.json", c.asJSON)
	mux.HandleFunc("GET "+mount+"/style.css", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600")
		http.ServeFileFS(w, r, files, "pages/style.css")
	})
	mux.HandleFunc(mount+"/", func(w http.ResponseWriter, _ *http.Request) {
		c.show(w, http.StatusNotFound, "none", view{Mount: mount, Title: "Not found", Body: "There is no such page."})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// show writes a page. It is made in memory first, so that a mistake in it cannot
// leave half a page behind a 200.
func (c *Catcher) show(w http.ResponseWriter, status int, name string, v view) {
	v.Stats = c.Stats()
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, v); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes()) // an error means that the reader has gone
}

// perPage is how many mails a page lists.
const perPage = 50

func (c *Catcher) list(w http.ResponseWriter, r *http.Request, mount string) {
	before, err := strconv.Atoi(r.FormValue("before"))
	if err != nil || before < 0 {
		before = 0
	}
	to := r.FormValue("to")
	v := view{Mount: mount, Title: "All", To: to, Mails: c.Mails(Filter{To: to}, Page{before, perPage + 1})}
	if len(v.Mails) > perPage {
		v.Mails = v.Mails[:perPage]
		v.Older = v.Mails[perPage-1].ID
	}
	c.show(w, http.StatusOK, "list", v)
}

// find returns the mail that the path names, or shows that there is none.
func (c *Catcher) find(w http.ResponseWriter, r *http.Request, mount string) (Mail, bool) {
	id, err := strconv.Atoi(r.PathValue("id"))
	var m Mail
	if err == nil {
		m, err = c.Mail(id)
	}
	if err != nil {
		status, why := http.StatusNotFound, "There is no such mail, or it had to make room for newer ones."
		if fault.Is(err, fault.Corrupt) {
			status, why = http.StatusInternalServerError, "The mail cannot be read back."
		}
		c.show(w, status, "none", view{Mount: mount, Title: "Not found", Body: why})
		return Mail{}, false
	}
	return m, true
}

func (c *Catcher) one(w http.ResponseWriter, r *http.Request, mount string) {
	m, ok := c.find(w, r, mount)
	if !ok {
		return
	}
	text, html := Parts(m.Source)
	v := view{Mount: mount, Title: m.Subject, Mail: m, HasHTML: html != "", HasText: text != "", View: r.FormValue("view")}
	switch {
	case v.View == "source":
	case html != "" && v.View != "text", text == "" && html != "":
		v.View = "html"
	case text != "":
		v.View = "text"
	default:
		v.View = "source"
	}
	switch v.View {
	case "text":
		v.Body = text
	case "source":
		v.Body = strings.ToValidUTF8(string(m.Source), "\uFFFD")
	}
	c.show(w, http.StatusOK, "mail", v)
}

// html serves a mail's HTML part as a document of its own, in a sandbox even if
// it is opened outside the frame.
func (c *Catcher) html(w http.ResponseWriter, r *http.Request, mount string) {
	m, ok := c.find(w, r, mount)
	if !ok {
		return
	}
	_, html := Parts(m.Source)
	w.Header().Set("Content-Security-Policy", mailPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, newTab(html)) // an error means that the reader has gone
}

// source serves a mail as it came, byte for byte, as a file that a mail program opens.
func (c *Catcher) source(w http.ResponseWriter, r *http.Request, mount string) {
	m, ok := c.find(w, r, mount)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "message/rfc822")
	w.Header().Set("Content-Disposition", `attachment; filename="`+strconv.Itoa(m.ID)+`.eml"`)
	w.Write(m.Source) // an error means that the reader has gone
}

// entry is a mail in the list that programs read.
type entry struct {
	ID      int       `json:"id"`
	At      time.Time `json:"at"`
	Sender  string    `json:"sender"`
	Rcpt    []string  `json:"rcpt"`
	From    string    `json:"from"`
	Subject string    `json:"subject"`
	Again   bool      `json:"again,omitempty"` // its Message-ID had come before
	Size    int       `json:"size"`
}

// asJSON serves the list as JSON lines, newest first, as many as a page of
// [Catcher.Mails] may have; before and to are those of the list for people.
func (c *Catcher) asJSON(w http.ResponseWriter, r *http.Request) {
	before, err := strconv.Atoi(r.FormValue("before"))
	if err != nil || before < 0 {
		before = 0
	}
	w.Header().Set("Content-Type", "application/jsonl")
	lines := json.NewEncoder(w)
	for _, m := range c.Mails(Filter{To: r.FormValue("to")}, Page{before, maxPage}) {
		e := entry{m.ID, m.At.UTC(), m.Sender, m.Rcpt, m.From, m.Subject, m.Duplicate, m.Size}
		if lines.Encode(e) != nil {
			return // the reader has gone
		}
	}
}

// newTab makes the links of a mail open beside it, as a mail program does.
func newTab(html string) string {
	const base = `<base target="_blank">`
	at := 0
	for _, tag := range [...]string{"<!doctype", "<html", "<head"} {
		if i := afterTag(html, tag); i > at {
			at = i
		}
	}
	return html[:at] + base + html[at:]
}

// afterTag returns the place behind the first tag that begins with the lower-case
// text and goes on with a space or its end; 0 if there is none.
func afterTag(html, tag string) int {
	for i := 0; i+len(tag) < len(html); i++ {
		if html[i] != '<' || !strings.EqualFold(html[i:i+len(tag)], tag) || strings.IndexByte("> \t\r\n", html[i+len(tag)]) < 0 {
			continue
		}
		if j := strings.IndexByte(html[i:], '>'); j >= 0 {
			return i + j + 1
		}
		return 0
	}
	return 0
}

// maxParts bounds how many parts of a stranger's mail are looked at.
const maxParts = 50

// Parts returns the first text and the first HTML part of a mail, decoded; empty
// if there is none or it cannot be read.
func Parts(source []byte) (text, html string) {
	m, err := mail.ReadMessage(bytes.NewReader(source))
	if err != nil {
		return "", ""
	}
	n := 0
	parts(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, &text, &html, &n, 0)
	return text, html
}

func parts(mediaType, encoding string, body io.Reader, text, html *string, n *int, depth int) {
	const maxDepth = 5
	if *n++; *n > maxParts || depth > maxDepth {
		return
	}
	kind, params, err := mime.ParseMediaType(mediaType)
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") {
		for r := multipart.NewReader(body, params["boundary"]); ; {
			p, err := r.NextRawPart()
			if err != nil {
				return
			}
			parts(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p, text, html, n, depth+1)
		}
	}
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	b, err := io.ReadAll(io.LimitReader(body, maxMessage))
	if err != nil && len(b) == 0 {
		return
	}
	s := strings.ToValidUTF8(string(b), "\uFFFD")
	switch {
	case kind == "text/plain" && *text == "":
		*text = s
	case kind == "text/html" && *html == "":
		*html = s
	}
}
