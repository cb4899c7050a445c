package demo

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"rapport/examples/online-retail"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/mailcatcher"
	"rapport/internal/run"
)

// Year replays the shop's year through a running node: every message goes to the
// tracking API over HTTP, every mail leaves over SMTP, every reaction is a
// request to the public pages. It owns the virtual clock, and time passes in
// steps.
type Year struct {
	Node    *run.Node
	Clock   *clock.Clock
	URL     string // of the node
	Secret  string // the secret key of the shop's backend
	Seed    uint64
	Catcher *mailcatcher.Catcher
	// Pace is called before each step; it may wait. Nil: as fast as it goes.
	Pace func(ctx context.Context, from, to event.Time) error
	// Restart is asked for a new node when a step fails, and the step is tried
	// again: what was heard is known by its id. Nil: the year ends with the error.
	Restart func(ctx context.Context, cause error) (*run.Node, error)
	// Until is when to stop. Zero: at the end of the year.
	Until event.Time
	// Transport carries the requests. Nil: the network.
	Transport http.RoundTripper
	// Progress hears how far the year is. Nil: nobody listens.
	Progress func(Progress)

	client    http.Client
	people    map[string]Person
	reactions []reaction
	seen      int // mails looked at
	digests   []string
}

// Progress is how far the replay is.
type Progress struct {
	Now      event.Time
	Messages int
	Of       int
	Done     bool
}

type reaction struct {
	Reaction
	delivery string
	unsub    string
	pixel    string
	links    []string // all of them, as a scanner finds them
	seen     []string // those that a person sees
}

// Step is how far the virtual clock moves at once; steps in which nothing
// happens are skipped.
const Step = event.Time(time.Hour / time.Millisecond)

// Run replays the year. December to February are sent to the import route, as
// history; the rest step by step.
func (y *Year) Run(ctx context.Context) error {
	invoices, err := retail.Invoices()
	if err != nil {
		return err
	}
	y.people = map[string]Person{}
	for i := range invoices {
		if c := invoices[i].Customer; c != "" {
			if _, known := y.people[c]; !known {
				y.people[c] = Invent(y.Seed, c, invoices[i].Country)
			}
		}
	}
	type message struct {
		at   event.Time
		body []byte
	}
	var all []message
	for at, body := range Messages(y.Seed, invoices) {
		all = append(all, message{at, body})
	}
	bodies := func(part []message) iter.Seq[[]byte] {
		return func(yield func([]byte) bool) {
			for i := range part {
				if !yield(part[i].body) {
					return
				}
			}
		}
	}
	over := func(part []message) { // it is not sent again: the year as text takes 80 MB
		for i := range part {
			part[i].body = nil
		}
	}
	history, _ := slices.BinarySearchFunc(all, GoLive, func(m message, t event.Time) int { return cmp.Compare(m.at, t) })
	if y.Until == 0 {
		last := all[len(all)-1].at
		y.Until = last - last%(24*Step) + 24*Step // the last order's day is over
	}
	y.client.Transport = y.Transport
	y.Clock.Set(GoLive)
	if err := y.attempt(ctx, func() error {
		if err := y.post(ctx, "/v1/import", bodies(all[:history])); err != nil {
			return err
		}
		return y.Node.Settle(ctx)
	}); err != nil {
		return err
	}
	over(all[:history])
	y.tell(Progress{Now: GoLive, Messages: history, Of: len(all)})

	for next := history; ; {
		var step event.Time
		if err := y.attempt(ctx, func() (err error) {
			step, err = y.next(ctx)
			return err
		}); err != nil {
			return err
		}
		if next < len(all) {
			step = min(step, after(all[next].at))
		}
		if step == event.Never || step > y.Until {
			break
		}
		if y.Pace != nil {
			if err := y.Pace(ctx, y.Clock.Now(), step); err != nil {
				return err
			}
		}
		y.Clock.Set(step)
		from := next
		for next < len(all) && all[next].at < step {
			next++
		}
		if err := y.attempt(ctx, func() error {
			if _, err := y.Node.Dispatch.Receipts(ctx); err != nil {
				return err
			}
			if err := y.react(ctx, step); err != nil {
				return err
			}
			if err := y.post(ctx, "/v1/batch", bodies(all[from:next])); err != nil {
				return err
			}
			return y.Node.Settle(ctx)
		}); err != nil {
			return err
		}
		over(all[from:next])
		y.reacted(step)
		if err := y.read(step); err != nil {
			return err
		}
		y.tell(Progress{Now: step, Messages: next, Of: len(all)})
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	y.tell(Progress{Now: y.Clock.Now(), Messages: len(all), Of: len(all), Done: true})
	return nil
}

// maxAttempts bounds the restarts of one step.
const maxAttempts = 50

// attempt does a part of a step, again on a new node if the old one failed.
func (y *Year) attempt(ctx context.Context, part func() error) error {
	for n := 0; ; n++ {
		err := part()
		if err == nil || y.Restart == nil || n == maxAttempts {
			return err
		}
		if y.Node, err = y.Restart(ctx, err); err != nil {
			return err
		}
	}
}

// after returns the end of the step that an instant lies in.
func after(at event.Time) event.Time { return at - at%Step + Step }

// next returns the end of the next step in which something happens by itself.
func (y *Year) next(ctx context.Context) (event.Time, error) {
	at, err := y.Node.NextStep(ctx)
	if err != nil {
		return 0, err
	}
	if len(y.reactions) > 0 {
		at = min(at, y.reactions[0].At)
	}
	now := y.Clock.Now()
	if y.Node.Dispatch.Waiting() > 0 {
		at = min(at, now)
	}
	if at == event.Never {
		return at, nil
	}
	return after(max(at-1, now)), nil
}

func (y *Year) tell(p Progress) {
	if y.Progress != nil {
		y.Progress(p)
	}
}

// post sends messages as a shop's backend does.
func (y *Year) post(ctx context.Context, path string, messages iter.Seq[[]byte]) error {
	for body, err := range Batches(messages, MaxBatch, y.Clock.Now()) {
		if err != nil {
			return err
		}
		if err := y.send(ctx, path, body); err != nil {
			return err
		}
	}
	return nil
}

func (y *Year) send(ctx context.Context, path string, body []byte) error {
	for pause := 10 * time.Millisecond; ; pause *= 2 {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, y.URL+path, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+y.Secret)
		req.Header.Set("Content-Type", "application/json")
		resp, err := y.client.Do(req)
		if err != nil {
			return err
		}
		answer, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
		resp.Body.Close()
		switch {
		case err != nil:
			return err
		case resp.StatusCode == http.StatusOK && !bytes.Contains(answer, []byte("rejected")):
			return nil
		case (resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable) && pause < 5*time.Second:
			time.Sleep(pause)
		default:
			return fmt.Errorf("the tracking API answered %s: %s", resp.Status, answer)
		}
	}
}

// read looks at the mails that were caught in this step and invents what their
// recipients will do.
func (y *Year) read(sent event.Time) error {
	for count := y.Catcher.Count(); y.seen < count; {
		y.seen++
		m, err := y.Catcher.Mail(y.seen)
		if err != nil {
			return err
		}
		customer, ok := "", false
		if len(m.Rcpt) == 1 {
			customer, ok = CustomerOf(m.Rcpt[0])
		}
		if !ok {
			continue
		}
		text, html := mailcatcher.Parts(m.Source)
		y.digests = append(y.digests, digest(m, text, html))
		r := reaction{delivery: m.MessageID, unsub: y.unsubscribe(m.Source)}
		r.links, r.seen, r.pixel = LinksOf(html, y.URL)
		for _, what := range Reactions(y.Seed, y.people[customer], m.MessageID, sent) {
			one := r
			one.Reaction = what
			y.reactions = append(y.reactions, one)
		}
	}
	slices.SortFunc(y.reactions, func(a, b reaction) int {
		return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.delivery, b.delivery), strings.Compare(string(a.Kind), string(b.Kind)))
	})
	return nil
}

// LinksOf returns the links of a mail that tell of a click at a base URL, those among
// them that a person sees, and the picture that tells of an opening.
func LinksOf(html, base string) (all, seen []string, pixel string) {
	for _, found := range hrefs.FindAllStringSubmatch(html, -1) {
		link := strings.ReplaceAll(found[2], "&amp;", "&")
		switch u, err := url.Parse(link); {
		case err != nil || !strings.HasPrefix(link, base):
		case strings.HasPrefix(u.Path, "/c/"):
			all = append(all, link)
			if !strings.Contains(found[3], "display:none") {
				seen = append(seen, link)
			}
		case strings.HasPrefix(u.Path, "/o/"):
			pixel = link
		}
	}
	return all, seen, pixel
}

var (
	hrefs = regexp.MustCompile(`(?i)(href|src)="([^"]+)"([^>]*)`)
	links = regexp.MustCompile(`https?://[^\s"'<>)]+`)
)

// digest is the hash of what a mail says, its links masked: they carry the port
// on which this run happens to listen.
func digest(m mailcatcher.Mail, text, html string) string {
	sum := sha256.Sum256([]byte(strings.Join(append(m.Rcpt, m.MessageID, m.Subject, links.ReplaceAllString(text, "URL"), links.ReplaceAllString(html, "URL")), "\x00")))
	return hex.EncodeToString(sum[:])
}

// Digest is a hash of all mails: the same seed gives the same.
func (y *Year) Digest() string {
	list := slices.Clone(y.digests)
	slices.Sort(list)
	sum := sha256.Sum256([]byte(strings.Join(list, "")))
	return hex.EncodeToString(sum[:])
}

func (y *Year) unsubscribe(source []byte) string {
	m, err := mail.ReadMessage(bytes.NewReader(source))
	if err != nil {
		return ""
	}
	for part := range strings.SplitSeq(m.Header.Get("List-Unsubscribe"), ",") {
		part = strings.Trim(strings.TrimSpace(part), "<>")
		if strings.HasPrefix(part, y.URL) {
			return part
		}
	}
	return ""
}

// reacted forgets the reactions of a step that is over.
func (y *Year) reacted(step event.Time) {
	y.reactions = slices.DeleteFunc(y.reactions, func(r reaction) bool { return r.At < step })
}

// react does what the invented people do with mails up to the step's end.
func (y *Year) react(ctx context.Context, step event.Time) error {
	n := 0
	for n < len(y.reactions) && y.reactions[n].At < step {
		n++
	}
	for i := range n {
		r := &y.reactions[i]
		var err error
		switch r.Kind {
		case Open:
			err = y.visit(ctx, http.MethodGet, r.pixel, reader)
		case Click:
			if len(r.seen) > 0 {
				err = y.visit(ctx, http.MethodGet, r.seen[r.LinkIndex%len(r.seen)], reader)
			}
		case Scan:
			err = y.visit(ctx, http.MethodGet, r.pixel, scanner)
			for _, link := range r.links {
				if err == nil {
					err = y.visit(ctx, http.MethodGet, link, scanner)
				}
			}
		case Unsubscribe:
			err = y.visit(ctx, http.MethodPost, r.unsub, reader)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	reader  = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"
	scanner = "Mozilla/5.0 (compatible; MailScanner/1.0)"
)

func (y *Year) visit(ctx context.Context, method, link, agent string) error {
	if link == "" {
		return nil
	}
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader("List-Unsubscribe=One-Click")
	}
	req, err := http.NewRequestWithContext(ctx, method, link, body)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("User-Agent", agent)
	y.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := y.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("a link in a mail answered %s: %s", resp.Status, link)
	}
	return nil
}
