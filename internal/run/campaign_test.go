package run_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/eventlog"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/eventlog/natslog"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/site"
	"rapport/internal/store"
	"rapport/internal/store/memory"
	"rapport/internal/store/sqlite"
)

// mailshot is a shop with campaigns and service messages, whose process can be
// killed and whose provider keeps whom it has written to.
type mailshot struct {
	t      *testing.T
	clock  *clock.Clock
	log    eventlog.Log
	store  store.Store
	ledger store.Ledger
	node   *run.Node
	files  map[string]string

	life   *life
	deaths int
	kill   func(deaths int) fate

	mu   sync.Mutex
	sent []channels.Message
	at   []event.Time
}

// monday is a Monday at eight in the morning in London.
var monday = event.At(time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC))

var shotFiles = map[string]string{
	"shop.yaml": `
name: The Test Shop
zone: Europe/London
currency: EUR
locale: en
postal: The Test Shop, 1 Test Street, Dublin
purposes: {marketing: News and offers}
senders: {email: {from_name: The Test Shop, from: hello@shop.example}}
`,
	"policy.yaml": "caps: {all: {per: 1d, most: 1000}}\ngap: 0s\nquiet: {from: \"20:00\", to: \"08:00\"}\n",
	"segments/all.yaml": `
- {segment: everybody, when: {did: Signed Up}}
- {segment: fans, when: {did: Product Viewed, within: 30d}}
`,
	"campaigns/news.yaml": `
campaign: news
audience: {segment: everybody}
template: note
undo: none
rate: 18000/h
expires: 2d
holdout: 0
same_address: each
reason: You signed up for our news
`,
	"templates/note.html.liquid": "---\nsubject: A note\n---\n<p>{{ reason }}</p><p><a href=\"{{ unsubscribe_url }}\">Unsubscribe</a> {{ shop.postal }}</p>\n",
	"templates/note.txt.liquid":  "{{ reason }} {{ unsubscribe_url }} {{ shop.postal }}\n",
}

func newMailshot(t *testing.T, kind string, lanes int, files map[string]string, kill func(int) fate) *mailshot {
	t.Helper()
	m := &mailshot{t: t, clock: clock.Virtual(monday), files: maps.Clone(shotFiles), kill: kill}
	maps.Copy(m.files, files)
	if kind == "sqlite" {
		dir := t.TempDir()
		var err error
		m.log, err = natslog.Open(t.Context(), natslog.Options{Dir: filepath.Join(dir, "log"), Lanes: lanes, Now: m.clock.Now})
		m.must(err)
		m.store, err = sqlite.Open(t.Context(), sqlite.Options{Dir: dir, Sync: "off"})
		m.must(err)
		m.ledger, err = sqlite.OpenLedger(t.Context(), sqlite.Options{Dir: dir, Sync: "off"})
		m.must(err)
		t.Cleanup(func() { m.ledger.Close(); m.store.Close(); m.log.Close() })
	} else {
		m.log, m.store, m.ledger = memlog.New(lanes, m.clock.Now), memory.New(), memory.NewLedger()
	}
	m.open()
	m.apply(m.files)
	return m
}

func (m *mailshot) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// open begins a process on what is there.
func (m *mailshot) open() {
	m.t.Helper()
	m.life = &life{}
	m.life.after.Store(-1)
	signer, err := site.NewSigner(baseURL, "default", site.Key{ID: 1, Secret: [32]byte{1}})
	m.must(err)
	m.node, err = run.Open(m.t.Context(), run.Options{
		Log: mortalLog{m.log, m.life}, Store: mortalStore{m.store, m.life}, Ledger: mortalLedger{m.ledger, m.life},
		Channels: map[string]channels.Channel{"email": mortalChannel{m, m.life}}, Workspace: "default", Key: identity.Key{7}, Clock: m.clock, Links: signer,
	})
	m.must(err)
}

// Send takes every message.
func (m *mailshot) Send(_ context.Context, batch []channels.Message) []channels.Outcome {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]channels.Outcome, len(batch))
	for i := range batch {
		m.sent, m.at = append(m.sent, batch[i]), append(m.at, m.clock.Now())
		out[i] = channels.Outcome{State: channels.Accepted, Code: 250}
	}
	return out
}

func (m *mailshot) apply(files map[string]string) {
	m.t.Helper()
	var list []program.File
	for name, body := range files {
		list = append(list, program.File{Path: name, Body: body})
	}
	src, err := program.New(list)
	m.must(err)
	_, err = m.node.Apply(m.t.Context(), src)
	m.must(err)
	m.must(m.node.Settle(m.t.Context()))
}

// alive does something until a process lives through it.
func (m *mailshot) alive(what func() error) {
	m.t.Helper()
	for {
		err := what()
		if err == nil {
			return
		}
		if !m.life.dead.Load() {
			m.t.Fatal(err)
		}
		m.rise()
	}
}

// rise is the start after a death.
func (m *mailshot) rise() {
	m.t.Helper()
	m.deaths++
	m.node.Close(m.t.Context()) //nolint:errcheck // a dead process ends nothing in order
	m.open()
	if m.kill != nil {
		if f := m.kill(m.deaths); f.calls > 0 {
			m.life.after.Store(int64(f.calls))
		}
	}
	m.alive(func() error {
		if err := m.node.Engine.Settle(m.t.Context()); err != nil {
			return err
		}
		_, err := m.node.Dispatch.Recover(m.t.Context())
		return err
	})
}

// until lets time pass, step by step.
func (m *mailshot) until(end event.Time) {
	m.t.Helper()
	m.alive(func() error { return m.node.Settle(m.t.Context()) })
	for m.clock.Now() < end {
		next := end
		m.alive(func() error {
			at, err := m.node.NextStep(m.t.Context())
			next = min(end, max(at, m.clock.Now().Add(time.Second)))
			if m.node.Dispatch.Waiting() > 0 {
				next = min(next, m.clock.Now().Add(time.Second))
			}
			return err
		})
		m.clock.Set(next)
		m.alive(func() error {
			if _, err := m.node.Dispatch.Receipts(m.t.Context()); err != nil {
				return err
			}
			return m.node.Settle(m.t.Context())
		})
	}
}

// people lets some sign up, of whom those whose number is divisible by seven agree
// to nothing.
func (m *mailshot) people(n int) {
	m.t.Helper()
	for from := 0; from < n; from += 200 {
		var events []event.Event
		for i := from; i < min(from+200, n); i++ {
			user := "p" + strconv.Itoa(i)
			events = append(events, m.signUp(user, user+"@people.example", "")...)
			if i%7 == 0 {
				events = events[:len(events)-1]
			}
		}
		m.alive(func() error { return m.node.Hear(m.t.Context(), events) })
	}
	m.alive(func() error { return m.node.Settle(m.t.Context()) })
}

func (m *mailshot) signUp(user, email, zone string) []event.Event {
	var traits, consent event.Builder
	traits.SetText("email", email).SetText("timezone", zone)
	consent.SetText("channel", "email").SetText("purpose", "marketing").SetText("state", "granted")
	now := m.clock.Now()
	return []event.Event{
		{ID: event.ID("up-" + user), Type: event.Track, Name: "Signed Up", User: user, At: now, Raw: now, Trust: event.Server, Source: "t", Traits: traits.Object()},
		{ID: event.ID("ok-" + user), Type: event.Track, Name: event.ConsentChanged, User: user, At: now, Raw: now, Trust: event.Server, Source: "t", Props: consent.Object()},
	}
}

func (m *mailshot) hear(events ...event.Event) {
	m.t.Helper()
	m.alive(func() error { return m.node.Hear(m.t.Context(), events) })
	m.alive(func() error { return m.node.Settle(m.t.Context()) })
}

func (m *mailshot) does(user, name string, kv ...string) event.Event {
	m.t.Helper()
	var props event.Builder
	for i := 0; i < len(kv); i += 2 {
		props.SetText(kv[i], kv[i+1])
	}
	now := m.clock.Now()
	e := event.Event{ID: event.ID(fmt.Sprint(user, name, now, len(m.sent))), Type: event.Track, Name: name, User: user, At: now, Raw: now, Trust: event.Server, Source: "t", Props: props.Object()}
	m.hear(e)
	return e
}

// recipients returns who was written to, and how many were more than once.
func (m *mailshot) recipients() (map[string]int, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	to, twice := map[string]int{}, 0
	for i := range m.sent {
		to[m.sent[i].To.Address]++
		if to[m.sent[i].To.Address] == 2 {
			twice++
		}
	}
	return to, twice
}

// states counts the deliveries of a campaign by state, and by reason where there
// is one, in the ledger itself.
func (m *mailshot) states(name string) string {
	m.t.Helper()
	counts := map[string]int{}
	for row, err := range m.store.Deliveries(m.t.Context()) {
		m.must(err)
		if row.Journey == name {
			counts[strings.TrimSuffix(row.State.String()+" "+row.Because, " ")]++
		}
	}
	var list []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, k+":"+strconv.Itoa(counts[k]))
	}
	return strings.Join(list, ", ")
}

func (m *mailshot) wantStates(name, want string) {
	m.t.Helper()
	if got := m.states(name); got != want {
		m.t.Errorf("the messages of %s are [%s], want [%s]", name, got, want)
	}
}

// again does something that has an effect once: after a death nobody knows whether
// it had it.
func (m *mailshot) again(what func(ctx context.Context) (run.RunStatus, error), done func(run.RunStatus) bool) {
	m.t.Helper()
	m.alive(func() error {
		s, err := what(m.t.Context())
		if fault.Is(err, fault.Conflict) || err == nil && !done(s) {
			c, err := m.node.Campaign(m.t.Context(), "news")
			if err == nil && (len(c.Runs) == 0 || !done(c.Runs[len(c.Runs)-1])) {
				err = errors.New("it was not done")
			}
			return err
		}
		return err
	})
}

// paused sends the campaign and, while it walks, pauses it, changes its rate and
// resumes it, so often; the process dies as it will.
func (m *mailshot) pausedAndResumed(rounds int) {
	m.t.Helper()
	is := func(state string) func(run.RunStatus) bool {
		return func(s run.RunStatus) bool { return s.State == state || s.Finish }
	}
	m.again(func(ctx context.Context) (run.RunStatus, error) {
		return m.node.SendCampaign(ctx, "news", run.SendOptions{})
	}, func(run.RunStatus) bool { return true })
	for i := range rounds {
		m.until(m.clock.Now().Add(20 * time.Second))
		m.again(func(ctx context.Context) (run.RunStatus, error) { return m.node.PauseCampaign(ctx, "news") }, is("paused"))
		m.until(m.clock.Now().Add(5 * time.Second)) // what is on its way arrives
		before := len(m.sent)
		m.until(m.clock.Now().Add(10 * time.Minute))
		if len(m.sent) != before {
			m.t.Errorf("%d messages left while the campaign was paused", len(m.sent)-before)
		}
		rate := int64(18_000 + 1000*(i%5))
		m.again(func(ctx context.Context) (run.RunStatus, error) { return m.node.RateCampaign(ctx, "news", rate) }, func(s run.RunStatus) bool { return s.Rate == rate || s.Finish })
		m.again(func(ctx context.Context) (run.RunStatus, error) { return m.node.ResumeCampaign(ctx, "news") }, is("running"))
	}
	m.until(m.clock.Now().Add(4 * time.Hour))
}

// exact checks that everybody who agreed was written to once, but for those of
// whom nobody can know.
func (m *mailshot) exact(people int) {
	m.t.Helper()
	to, twice := m.recipients()
	if twice > 0 {
		m.t.Errorf("%d people got it twice", twice)
	}
	unknown := map[string]bool{}
	for row, err := range m.store.Deliveries(m.t.Context()) {
		m.must(err)
		if row.State == profile.Unknown {
			p, err := m.node.Engine.Profile(m.t.Context(), row.Profile)
			m.must(err)
			unknown[p.Address("email")] = true
		}
	}
	for i := range people {
		address := fmt.Sprintf("p%d@people.example", i)
		switch n := to[address]; {
		case i%7 == 0 && n > 0:
			m.t.Errorf("%s did not agree and got it", address)
		case i%7 != 0 && n == 0 && !unknown[address]:
			m.t.Errorf("%s was lost", address)
		}
	}
	c, err := m.node.Campaign(m.t.Context(), "news")
	m.must(err)
	if r := c.Runs[0]; len(c.Runs) != 1 || !r.Finish || r.Entered != int64(people) || r.Open != 0 {
		m.t.Errorf("the runs are %+v, want one that has come to %d people and is finished", c.Runs, people)
	}
	m.t.Logf("%d deaths, %d messages, %d of unknown outcome; %s", m.deaths, len(m.sent), len(unknown), m.states("news"))
}

func TestItem23ACampaignPausedChangedResumedAndKilledReachesEverybodyOnce(t *testing.T) {
	const people = 600
	for _, c := range []struct {
		kind  string
		lanes int
	}{{"memory", 1}, {"memory", 3}, {"sqlite", 1}} {
		t.Run(fmt.Sprintf("%s, %d lanes", c.kind, c.lanes), func(t *testing.T) {
			r := rand.New(rand.NewPCG(23, uint64(c.lanes)))
			m := newMailshot(t, c.kind, c.lanes, nil, func(deaths int) fate {
				if deaths < 5 {
					return fate{calls: 1 + r.IntN(40)}
				}
				return fate{}
			})
			m.people(people)
			m.life.after.Store(40)
			m.pausedAndResumed(3)
			if m.deaths < 5 {
				t.Errorf("the process died %d times only", m.deaths)
			}
			m.exact(people)
		})
	}
}

// behind is a log whose records nobody can read until it is let go, as those behind a
// backlog.
type behind struct {
	eventlog.Log
	let chan struct{}
}

func (b behind) Read(ctx context.Context, lane int, after eventlog.Position, limit int) ([]eventlog.Record, error) {
	select {
	case <-b.let:
		return b.Log.Read(ctx, lane, after, limit)
	case <-ctx.Done():
		return nil, nil
	}
}

// A process that has just begun has its runs in the log: who asks for a change of one
// waits until they are known, or is told to come again, and never that there is none.
func TestAnOrderWaitsForThoseInTheLog(t *testing.T) {
	t.Parallel()
	m := newMailshot(t, "memory", 2, map[string]string{
		"campaigns/news.yaml": strings.Replace(shotFiles["campaigns/news.yaml"], "rate: 18000/h", "rate: 60/h", 1),
	}, nil)
	m.people(50)
	_, err := m.node.SendCampaign(t.Context(), "news", run.SendOptions{})
	m.must(err)
	paused := m.node.Engine.Runs()[0].Ordered()
	paused.Serial, paused.State = paused.Serial+1, journey.Paused
	m.must(m.node.Engine.Order(t.Context(), paused))
	m.life.dead.Store(true)   // the order is in the log alone
	m.node.Close(t.Context()) //nolint:errcheck // a dead process ends nothing in order
	let := make(chan struct{})
	m.log = behind{m.log, let}
	m.clock.Release()
	m.open()
	m.must(m.node.Start(t.Context()))
	t.Cleanup(func() { m.node.Close(context.WithoutCancel(t.Context())) })
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second) // who did not refuse would wait for ever
	defer stop()
	if s, err := m.node.ResumeCampaign(ctx, "news"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("behind a backlog a resume is answered %+v, %v", s, err)
	}
	if s, err := m.node.SendCampaign(ctx, "news", run.SendOptions{Again: true}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("behind a backlog a sending is answered %+v, %v", s, err)
	}
	close(let)
	if s, err := m.node.ResumeCampaign(t.Context(), "news"); err != nil || s.State != "running" {
		t.Errorf("a resume is answered %+v, %v", s, err)
	}
	if r := m.node.Engine.Runs()[0]; r.Serial != paused.Serial+1 || r.State != journey.Running {
		t.Errorf("the run is %+v, want order %d and running", r, paused.Serial+1)
	}
}

func TestChaosACampaignKilledAHundredTimesReachesEverybodyOnce(t *testing.T) {
	if os.Getenv("RAPPORT_CHAOS") == "" {
		t.Skip("RAPPORT_CHAOS is not set")
	}
	const people, kills = 2500, 100
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	m := newMailshot(t, "memory", 2, nil, func(deaths int) fate {
		if deaths < kills {
			return fate{calls: 1 + r.IntN(40)}
		}
		return fate{}
	})
	m.people(people)
	m.life.after.Store(10)
	m.pausedAndResumed(12)
	if m.deaths < kills {
		t.Errorf("the process died %d times only", m.deaths)
	}
	m.exact(people)
}
