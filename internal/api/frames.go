package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rapport/internal/fault"
)

// Limits of the previews that are kept for frames.
const (
	maxFrames   = 48        // each at most some hundred kB
	maxFrame    = 2 << 20   // bytes; what is longer no mail program shows
	framesFor   = time.Hour // they show what is in customers' profiles
	frameIDSize = 16
)

// frames are messages that were read as a customer would, for the frames in which
// they are shown: what is being written has no other address. It is for use by many
// goroutines; the oldest makes room.
type frames struct {
	mu   sync.Mutex
	kept []frame
}

type frame struct {
	id, html string
	at       time.Time
}

// keep keeps a page and returns its id; empty if it is too long.
func (f *frames) keep(html string) string {
	if len(html) > maxFrame {
		return ""
	}
	var b [frameIDSize]byte
	_, _ = rand.Read(b[:]) // never fails
	id := hex.EncodeToString(b[:])
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tidy()
	f.kept = append(f.kept[max(0, len(f.kept)+1-maxFrames):], frame{id, html, time.Now()})
	return id
}

func (f *frames) tidy() {
	f.kept = slices.DeleteFunc(f.kept, func(o frame) bool { return time.Since(o.at) > framesFor })
}

func (f *frames) find(id string) (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tidy()
	for i := range f.kept {
		if f.kept[i].id == id {
			return f.kept[i].html, true
		}
	}
	return "", false
}

var (
	darkStyles  = regexp.MustCompile(`(?i)\(\s*prefers-color-scheme\s*:\s*dark\s*\)`)
	lightStyles = regexp.MustCompile(`(?i)\(\s*prefers-color-scheme\s*:\s*light\s*\)`)
	headBegins  = regexp.MustCompile(`(?i)<head\b[^>]*>`)
)

// onScreen gives a page the look that it has on a dark or a light screen, whatever
// the screen is on which it is read: the styles for that screen always hold, and
// those for the other never. That is an emulation of mail programs which obey the
// message's own styles; those that invert colours by themselves it does not show.
func onScreen(html string, dark bool) string {
	holds, not := darkStyles, lightStyles
	scheme := "dark"
	if !dark {
		holds, not, scheme = lightStyles, darkStyles, "light"
	}
	styled := darkStyles.MatchString(html)
	html = holds.ReplaceAllLiteralString(html, "(min-width:0px)")
	html = not.ReplaceAllLiteralString(html, "(max-width:0px)")
	if dark && !styled {
		return html // a message without dark styles stays as it is
	}
	own := "<style>:root{color-scheme:" + scheme + " !important}</style>"
	if at := headBegins.FindStringIndex(html); at != nil {
		return html[:at[1]] + own + html[at[1]:]
	}
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(html)), "<!doctype") {
		return html // it has no head, so it has no styles either
	}
	return own + html
}

func (a *API) shownFrame(_ context.Context, in *struct {
	ID     string `path:"id" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]{32}$" doc:"As reading the template answered."`
	Screen string `query:"screen" enum:"light,dark" default:"light" doc:"On which screen it is looked at."`
},
) (*huma.StreamResponse, error) {
	html, ok := a.frames.find(in.ID)
	if !ok {
		return nil, fault.New(fault.NotFound, "this preview is no longer kept: read the template again")
	}
	return framed(onScreen(html, in.Screen == "dark")), nil
}

// framePolicy lets a previewed message show its styles and our pictures, run nothing
// and reach nobody.
const framePolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"

// framed answers a page for a frame.
func framed(html string) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		c.SetHeader("Content-Type", "text/html; charset=utf-8")
		c.SetHeader("Content-Security-Policy", framePolicy)
		c.SetStatus(http.StatusOK)
		_, _ = c.BodyWriter().Write([]byte(html)) // who is gone cannot be told
	}}
}
