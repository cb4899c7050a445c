package site

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"rapport/internal/fault"
	"rapport/internal/studio/code"
)

// codePicture is the kind of token that says what a code shows. Like the others it
// is part of links in mails sent long ago.
const codePicture Kind = 'k'

// codeKinds are the letters of a code's kind in a token: never change.
var codeKinds = map[code.Kind]byte{code.EAN13: 'e', code.Code128: 'b', code.QR: 'q'}

// Pictures keeps the shop's pictures.
type Pictures interface {
	// Picture returns the bytes and the media type of a picture by the name that
	// the library gave it, which says what is in it. NotFound if there is none.
	Picture(ctx context.Context, name string) (body []byte, mediaType string, err error)
}

// Picture returns the address of a picture of the library by its name there.
func (s *Signer) Picture(name string) string { return s.base + "/i/" + name }

// Code returns the address of the picture of a code that says the text, which is
// drawn when somebody looks. It is signed, so that nobody else has codes drawn
// under the shop's name. What cannot be drawn, by [code.Check], is Invalid.
func (s *Signer) Code(kind, text, level string) (string, error) {
	level = strings.ToUpper(level)
	if err := code.Check(code.Kind(kind), text, level); err != nil {
		return "", err
	}
	b := append(make([]byte, 0, 4+len(text)+macSize), byte(codePicture), s.keys[0].ID, codeKinds[code.Kind(kind)], 0)
	if level != "" {
		b[3] = level[0]
	}
	b = append(b, text...)
	mac := s.mac(&s.keys[0], b)
	return s.base + "/k/" + base64.RawURLEncoding.EncodeToString(append(b, mac[:]...)) + ".png", nil
}

// readCode reads what Code signed.
func (s *Signer) readCode(name string) (kind code.Kind, text, level string, ok bool) {
	const head, longest = 4, (4 + code.MaxText + macSize + 2) / 3 * 4
	name, isPNG := strings.CutSuffix(name, ".png")
	if !isPNG || len(name) > longest {
		return "", "", "", false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(name)
	if err != nil || strings.ContainsAny(name, "\r\n") || len(b) < head+macSize || b[0] != byte(codePicture) {
		return "", "", "", false
	}
	payload, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	for i := range s.keys {
		if want := s.mac(&s.keys[i], payload); s.keys[i].ID == payload[1] && subtle.ConstantTimeCompare(mac, want[:]) == 1 {
			ok = true
		}
	}
	for k, letter := range codeKinds {
		if letter == payload[2] {
			kind = k
		}
	}
	if payload[3] != 0 {
		level = string(payload[3:4])
	}
	return kind, string(payload[head:]), level, ok && kind != ""
}

// forever is for what never changes under its name.
const forever = "max-age=31536000, immutable"

// code draws a code. Its address says everything, so a mail program may keep it;
// a cache between must not, for it may be one person's money.
func (s *Site) code(w http.ResponseWriter, r *http.Request) {
	kind, text, level, ok := s.o.Signer.readCode(r.PathValue("name"))
	if !ok {
		s.missing(w, r)
		return
	}
	p, err := code.Draw(kind, text, level)
	if err != nil {
		s.missing(w, r) // signed by a version that drew more than this one does
		return
	}
	media(w, r, p.PNG, "image/png", "private, "+forever)
}

// picture serves a picture of the library.
func (s *Site) picture(w http.ResponseWriter, r *http.Request) {
	if s.o.Pictures == nil {
		s.missing(w, r)
		return
	}
	body, kind, err := s.o.Pictures.Picture(r.Context(), r.PathValue("name"))
	switch {
	case fault.Is(err, fault.NotFound):
		s.missing(w, r)
	case err != nil:
		s.o.Log.Error("reading a picture", "picture", r.PathValue("name"), "error", err)
		s.later(w, r)
	default:
		media(w, r, body, kind, "public, "+forever)
	}
}

// media answers with a picture that stays what it is.
func media(w http.ResponseWriter, r *http.Request, body []byte, kind, cache string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", cache)
	h.Set("ETag", `"1"`) // the name says what is in it
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Del("X-Robots-Tag")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}
