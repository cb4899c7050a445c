package admin

import (
	"fmt"
	"net/http"

	"rapport/internal/admin/page"
)

// kindWords are the kinds of what was put aside.
var kindWords = map[string]string{
	"rejected": "Failed the checks where it came in",
	"poison":   "The core stumbled over it",
	"hops":     "Was forwarded too often",
}

// maxDetail bounds what a page shows of an event as it came, in bytes.
const maxDetail = 4 << 10

func (s *site) quarantine(r *http.Request) (page.View, error) {
	p, err := s.inForce(r.Context())
	if err != nil {
		return nil, err
	}
	list, err := s.o.Store.Quarantined(r.Context(), perPage)
	if err != nil {
		return nil, fmt.Errorf("reading what was put aside: %w", err)
	}
	c := s.clock(p)
	v := &page.Quarantine{Frame: s.frame(p, "Put aside", "quarantine"), Shown: "The newest " + page.Count(int64(len(list)))}
	for i := range list {
		q := &list[i]
		a := page.Aside{At: c.When(q.At), Kind: or(kindWords[q.Kind], q.Kind), Reason: page.Title(or(q.Reason, "no reason was noted")), Field: q.Field, Detail: clip(q.Detail, maxDetail)}
		if !q.To.Zero() {
			a.Who = page.Link{Text: "the customer", Href: "/customers/" + q.To.String()}
		}
		v.List = append(v.List, a)
	}
	return v, nil
}

// clip cuts a text to at most n bytes, between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}
