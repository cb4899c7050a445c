package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core"
	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/engine"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/fault"
	"rapport/internal/feed"
	"rapport/internal/program"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

// hurdles is a store whose sweeps have many ranges, come on only as far as a test
// lets them, and that fails when the test wants it.
type hurdles struct {
	store.Store
	tokens chan struct{} // one for each reading of customers; nil: as many as one likes
	dead   atomic.Bool   // as of now nothing works: the process was killed
	fail   atomic.Int64  // which call from now on fails once; negative: none
	shut   chan struct{}
}

// seeds are few in every run: more find more.
const seeds uint64 = 1

var errHurdle = fault.New(fault.Unavailable, "the disk stumbles")

func (h *hurdles) trip() error {
	if h.dead.Load() || h.fail.Add(-1) == 0 {
		return errHurdle
	}
	return nil
}

func (h *hurdles) LastNumber(ctx context.Context) (int64, error) {
	last, err := h.Store.LastNumber(ctx)
	return last, errors.Join(err, h.trip())
}

func (h *hurdles) Census(ctx context.Context, first, last int64, from, to identity.ID, limit int, into *store.Page) ([]store.Row, error) {
	rows, err := h.Store.Census(ctx, first, last, from, to, limit, into)
	if h.tokens != nil {
		select {
		case <-h.tokens: // what was read is older by now
		case <-h.shut:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return rows, errors.Join(err, h.trip())
}

func (h *hurdles) Load(ctx context.Context, ids []identity.ID) ([]store.Row, error) {
	if err := h.trip(); err != nil {
		return nil, err
	}
	return h.Store.Load(ctx, ids)
}

func (h *hurdles) History(ctx context.Context, strands ...identity.ID) ([]store.Block, error) {
	if err := h.trip(); err != nil {
		return nil, err
	}
	return h.Store.History(ctx, strands...)
}

func (h *hurdles) Commit(ctx context.Context, c *store.Commit) error {
	if err := h.trip(); err != nil {
		return err
	}
	return h.Store.Commit(ctx, c)
}

func (h *hurdles) Position(ctx context.Context, lane int) (store.Position, error) {
	if h.dead.Load() {
		return store.Position{}, errHurdle
	}
	return h.Store.Position(ctx, lane)
}

// changing is a shop that runs by itself, with definitions that change.
type changing struct {
	*editions
	lanes int
	late  bool // sweeps come as far as tokens let them
	h     *hurdles
	ctx   context.Context
}

// manyEditions are definitions of which each has some of the segments and journeys.
func manyEditions(t *testing.T, dice *rand.Rand, n int) (list []*core.Program) {
	base := []program.File{
		theShop,
		{Path: "policy.yaml", Body: "caps: {all: {per: 3d, most: 2}}\ngap: 1h\nquiet: []\nholdout: 0%\n"},
		{Path: "templates/hello.html.liquid", Body: "---\nlabel: Hello\nsubject: Hello\n---\n<p>Hello</p><p>{{ reason }}</p><p><a href=\"{{ unsubscribe_url }}\">Unsubscribe</a> {{ shop.postal }}</p>\n"},
		{Path: "templates/hello.txt.liquid", Body: "Hello. {{ reason }}. Unsubscribe: {{ unsubscribe_url }} {{ shop.postal }}\n"},
	}
	segments := [][]string{
		{"{did: Product Viewed, within: 3d}", "{did: Cart Viewed, within: 3d}"},
		{"{did: Cart Viewed, within: 2d}", "{did: Cart Viewed, within: 1d}"},
		{"{did: Product Viewed, times: '>= 2'}", "{did: Product Viewed, times: '>= 3', within: 5d}"},
		{"{all: [{segment: s0}, {segment: s1}]}", "{any: [{segment: s0}, {segment: s1}]}"},
		{"{not: {did: Product Viewed, within: 1d}}", "{not: {did: Cart Viewed, within: 1d}}"},
	}
	const send = "send: {template: hello, reason: You looked around}"
	journeys := [][]string{
		{
			"trigger: {segment: s1, on: enter}\nreentry: {after: 1d}\nholdout: 0%\nsteps:\n  - {name: a, wait: 6h}\n  - {name: b, " + send + "}\n  - {name: c, wait_for: {any: [{event: Order Completed, next: end}], timeout: 30h}}\n  - {name: d, " + send + "}\n",
			"trigger: {segment: s1, on: leave}\nreentry: {after: 1d}\nholdout: 0%\nsteps:\n  - {name: b, " + send + "}\n",
		},
		{
			"trigger: {segment: s4, on: enter}\nreentry: {after: 2h}\nholdout: 0%\nsteps:\n  - {name: b, " + send + "}\n",
			"trigger: {segment: s0, on: leave}\nreentry: {after: 2h}\nholdout: 0%\nsteps:\n  - {name: u, update: {traits: {note: left}}}\n  - {name: w, wait: 3h}\n  - {name: b, " + send + "}\n",
		},
		{"trigger: {event: Cart Viewed}\nreentry: {after: 3h}\nholdout: 0%\nexit: {did: Product Viewed}\nsteps:\n  - {name: a, wait: 2h}\n  - {name: b, " + send + "}\n"},
	}
	var older []*program.Source
	for len(list) < n {
		files := slices.Clone(base)
		for i, s := range segments {
			if i != 2 || dice.IntN(2) == 0 { // others rest on the others
				files = append(files, program.File{Path: fmt.Sprintf("segments/s%d.yaml", i), Body: fmt.Sprintf("segment: s%d\nwhen: %s\n", i, s[dice.IntN(2)])})
			}
		}
		for i, j := range journeys {
			if k := dice.IntN(3); k < len(j) {
				files = append(files, program.File{Path: fmt.Sprintf("journeys/j%d.yaml", i), Body: fmt.Sprintf("journey: j%d\n%s", i, j[k])})
			}
		}
		src, err := program.New(files)
		if err != nil {
			t.Fatal(err)
		}
		prog, problems := program.Compile(src, program.Options{Workspace: "w", Older: older})
		if prog == nil {
			t.Fatal(problems)
		}
		if slices.ContainsFunc(list, func(p *core.Program) bool { return p.Hash == prog.Core.Hash }) {
			continue
		}
		list, older = append(list, prog.Core), append(older, src)
	}
	return list
}

func newChanging(t *testing.T, seed uint64, lanes int, late bool) *changing {
	s := &shop{t: t, clock: clock.Virtual(event.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)))}
	s.log, s.store = memlog.New(lanes, s.clock.Now), memory.New()
	c := &changing{editions: &editions{shop: s}, lanes: lanes, late: late, ctx: t.Context()}
	c.list = manyEditions(t, rand.New(rand.NewPCG(seed, 7)), 12)
	c.begin()
	return c
}

// begin opens the engine as a process would.
func (c *changing) begin() {
	c.t.Helper()
	c.h = &hurdles{Store: c.store, shut: make(chan struct{})}
	c.h.fail.Store(-1)
	if c.late {
		c.h.tokens = make(chan struct{}, 1<<20)
	}
	e, err := engine.Open(c.ctx, engine.Options{
		Log: c.log, Store: c.h, Key: c.key, Now: c.clock.Now, Programs: c.program, CacheBytes: c.cache, DirtyBytes: 1,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.e = e
	if c.late {
		e.SmallRanges()
	}
	e.Start()
}

func (c *changing) kill() {
	c.h.dead.Store(true)
	close(c.h.shut)
	_ = c.e.Close(context.WithoutCancel(c.ctx)) // it cannot
}

// quiet waits until everything is applied, committed, fired and forwarded.
func (c *changing) quiet() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, time.Hour)
	defer cancel()
	for calm := 0; calm < 2; {
		if err := c.e.Arrived(ctx); err != nil {
			c.t.Fatal(err)
		}
		calm++
		for lane := range c.lanes {
			next, err := c.e.NextAlarm(lane)
			if err != nil {
				c.t.Fatal(err)
			}
			if next <= c.clock.Now() {
				calm = 0
			}
		}
		if c.e.Stats().Lag > 0 {
			calm = 0
		}
		if ctx.Err() != nil {
			c.t.Fatal("it never becomes quiet")
		}
		time.Sleep(time.Millisecond)
	}
}

// swept lets the sweep end.
func (c *changing) swept() {
	c.t.Helper()
	for range 20_000 {
		if done, of := c.e.Swept(); done == of {
			c.drain()
			c.quiet()
			return
		}
		c.grant(50)
		time.Sleep(time.Millisecond)
	}
	done, of := c.e.Swept()
	c.t.Fatalf("the sweep never ends: %d of %d, %v", done, of, c.e.Trouble())
}

func (c *changing) grant(n int) {
	if c.late {
		for range n {
			c.h.tokens <- struct{}{}
		}
	}
}

// drain takes back what the sweep has not used.
func (c *changing) drain() {
	for {
		select {
		case <-c.h.tokens:
		default:
			return
		}
	}
}

func (c *changing) change(n int) event.Event {
	c.n++
	var b event.Builder
	b.Set("hash", event.Text(fmt.Sprintf("%016x", c.list[n].Hash)))
	return event.Event{ID: event.ID(fmt.Sprint("program-", c.n)), Type: event.System, Name: event.ProgramChanged, At: c.clock.Now(), Trust: event.Own, Source: "rapport", Props: b.Object()}
}

func (c *changing) heard(dice *rand.Rand) event.Event {
	c.n++
	e := event.Event{ID: event.ID(fmt.Sprintf("m%d", c.n)), Type: event.Track, At: c.clock.Now(), Raw: c.clock.Now(), Trust: event.Server}
	e.Name = []string{"Product Viewed", "Cart Viewed", "Page Viewed"}[dice.IntN(3)]
	user, anon := fmt.Sprint("user-", dice.IntN(25)), fmt.Sprint("device-", dice.IntN(25))
	var b event.Builder
	switch dice.IntN(6) {
	case 0:
		e.User, e.Anon = user, anon
	case 1, 2:
		e.Anon = anon
	case 3:
		e.User = user
		var consent event.Builder
		e.Name, e.Props = event.ConsentChanged, consent.SetText("state", "granted").SetText("channel", "email").Object()
		b.SetText("email", user+"@shop.example")
	default:
		e.User = user
	}
	e.Traits = b.Object()
	return e
}

// told is everybody, and what the feed tells of them, by id. Of what came is told as of
// which instant, not when it was heard.
func (c *changing) told() map[identity.ID]string {
	c.t.Helper()
	close(c.h.shut)
	c.h.fail.Store(-1)
	all := map[identity.ID]string{}
	for lane := range c.lanes {
		blocks, err := c.store.Feed(c.ctx, lane, 0, 1_000_000)
		if err != nil {
			c.t.Fatal(err)
		}
		var last uint64
		for _, b := range blocks {
			if b.From < last || b.To <= b.From {
				c.t.Fatalf("a commit of the feed from %d to %d follows one up to %d", b.From, b.To, last)
			}
			last = b.To
			err := feed.Each(b.Body, func(r feed.Row) error {
				switch r.Kind {
				case feed.Person:
				case feed.Delivery:
					all[r.Profile] += fmt.Sprintf("\ndelivery %s %s %v %s %x", r.Name, r.Step, r.State, r.Because, r.ID)
				default:
					all[r.Profile] += fmt.Sprintf("\n%d %v %s %v %s", r.At, r.Kind, r.Name, r.In, r.Props)
				}
				return nil
			})
			if err != nil {
				c.t.Fatal(err)
			}
		}
	}
	members := map[uint64]map[identity.ID]bool{}
	for i := range 5 {
		key := condition.SegmentKey(fmt.Sprint("s", i))
		ids, err := c.store.Members(c.ctx, key, identity.ID{}, 10_000)
		if err != nil {
			c.t.Fatal(err)
		}
		members[key] = map[identity.ID]bool{}
		for _, id := range ids {
			members[key][id] = true
		}
	}
	for p, err := range c.e.Customers(c.ctx, identity.ID{}) {
		if err != nil {
			c.t.Fatal(err)
		}
		for key, ids := range members {
			if in := p.Member(key).In; in != ids[p.ID] {
				c.t.Errorf("%s is in %x: %v; among its members: %v", p.ID, key, in, ids[p.ID])
			}
		}
		if p.Program != c.e.Program().Hash {
			c.t.Errorf("%s is left behind under %x", p.ID, p.Program)
		}
		own := *p
		own.Seen = nil // what was sent between homes before a kill comes once more, and is answered once more
		p = &own
		all[p.ID] += fmt.Sprintf("\n%d events, alarm %d, %d journeys, %d open: %q", p.Count, p.Alarm, len(p.Journeys), len(p.Open), string(p.AppendRest(p.AppendHot(nil))))
	}
	return all
}

// play plays what the seed says.
func (c *changing) play(seed uint64, steps int) {
	dice, own := rand.New(rand.NewPCG(seed, 3)), rand.New(rand.NewPCG(seed, 4))
	append1 := func(e event.Event) {
		a, _ := c.key.Address(e)
		for c.e.Append(c.ctx, []identity.Addressed{a}) != nil {
			time.Sleep(time.Millisecond)
		}
	}
	broadcast := func(e event.Event) {
		if err := c.e.Broadcast(c.ctx, e); err != nil {
			c.t.Fatal(err)
		}
	}
	fresh, pending := 1, 0
	broadcast(c.change(0))
	c.quiet()
	for range steps {
		switch k := dice.IntN(30); {
		case k <= 1:
			if c.late && (pending >= 3 || k == 1) {
				c.swept()
			}
			if done, of := c.e.Swept(); done == of {
				pending = 0
			}
			if dice.IntN(3) == 0 {
				c.clock.Set(c.clock.Now().Add(time.Duration(dice.IntN(60)) * time.Hour)) // and alarms are due
			}
			n := dice.IntN(fresh)
			if k == 0 && fresh < len(c.list) {
				n = fresh
				fresh++
			} else if k == 0 {
				continue
			}
			broadcast(c.change(n))
			c.grant(4) // what is looked at for the program before ends
			pending++
		case k <= 4:
			c.clock.Set(c.clock.Now().Add(time.Duration(dice.IntN(20*60)) * time.Minute))
		default:
			append1(c.heard(dice))
		}
		c.hinder(own)
		c.quiet()
	}
	c.swept()
}

// hinder lets a late engine's sweep go on a bit, kills it, or lets its store fail, if the
// dice say so.
func (c *changing) hinder(dice *rand.Rand) {
	if !c.late {
		return
	}
	if dice.IntN(3) == 0 {
		c.grant(dice.IntN(60))
	}
	switch dice.IntN(25) {
	case 0:
		time.Sleep(time.Duration(dice.IntN(3000)) * time.Microsecond)
		c.kill()
		c.begin()
	case 1:
		c.h.fail.Store(int64(1 + dice.IntN(6)))
	}
}

// chaos plays what the seed says with definitions that come and come back faster than
// their sweeps, and returns who is in which segment at the end.
func (c *changing) chaos(seed uint64, steps int) map[string]string {
	dice, own := rand.New(rand.NewPCG(seed, 5)), rand.New(rand.NewPCG(seed, 6))
	if err := c.e.Broadcast(c.ctx, c.change(0)); err != nil {
		c.t.Fatal(err)
	}
	c.quiet()
	for range steps {
		switch k := dice.IntN(30); {
		case k <= 3:
			if k == 0 {
				c.clock.Set(c.clock.Now().Add(time.Duration(dice.IntN(60)) * time.Hour))
			}
			for range 1 + dice.IntN(3) {
				if err := c.e.Broadcast(c.ctx, c.change(dice.IntN(5))); err != nil {
					c.t.Fatal(err)
				}
				c.grant(4)
			}
		case k <= 6:
			c.clock.Set(c.clock.Now().Add(time.Duration(dice.IntN(20*60)) * time.Minute))
		default:
			a, _ := c.key.Address(c.heard(dice))
			for c.e.Append(c.ctx, []identity.Addressed{a}) != nil {
				time.Sleep(time.Millisecond)
			}
		}
		c.hinder(own)
		c.quiet()
	}
	c.swept()
	c.told()
	all := map[string]string{}
	for p, err := range c.e.Customers(c.ctx, identity.ID{}) {
		if err != nil {
			c.t.Fatal(err)
		}
		in := fmt.Sprint(p.Count, " events, in")
		for i := range 5 {
			if p.Member(condition.SegmentKey(fmt.Sprint("s", i))).In {
				in += fmt.Sprint(" s", i)
			}
		}
		all[p.ID.String()] = in
	}
	return all
}

// However fast definitions follow one another, the last ones hold for everybody.
func TestDefinitionsFasterThanTheirSweepsHoldAtLast(t *testing.T) {
	t.Parallel()
	engine.PackHistory(make([]engine.Heard, 5000))
	for seed := range seeds {
		for _, lanes := range []int{1, 4} {
			t.Run(fmt.Sprintf("seed %d, %d lanes", seed, lanes), func(t *testing.T) {
				ends := func(late bool) (all map[string]string) {
					synctest.Test(t, func(t *testing.T) {
						c := newChanging(t, seed, lanes, late)
						all = c.chaos(seed, 120)
						if err := c.e.Close(context.WithoutCancel(t.Context())); err != nil {
							t.Error(err)
						}
					})
					return all
				}
				if want, got := ends(false), ends(true); !maps.Equal(want, got) {
					for id, in := range want {
						if got[id] != in {
							t.Errorf("%s has %s, want %s", id, got[id], in)
						}
					}
				}
			})
		}
	}
}

// letters is a shop with one segment and a journey of those who enter it, or none.
func (e *editions) letters(segment, on string) {
	e.t.Helper()
	files := []program.File{{Path: "segments/idle.yaml", Body: "segment: idle\nwhen: " + segment + "\n"}}
	if on != "" {
		files = append(files, program.File{Path: "journeys/note.yaml", Body: "journey: note\ntrigger: {segment: idle, on: " + on + "}\nholdout: 0%\nsteps:\n  - {name: u, update: {traits: {note: " + on + "}}}\n"})
	}
	e.list = append(e.list, compiled(e.t, files...))
}

// comes puts an edition in force, and applies nothing.
func (e *editions) comes(n int) {
	e.t.Helper()
	e.n++
	var b event.Builder
	b.Set("hash", event.Text(fmt.Sprintf("%016x", e.list[n].Hash)))
	ev := event.Event{ID: event.ID(fmt.Sprint("program-", e.n)), Type: event.System, Name: event.ProgramChanged, At: e.clock.Now(), Trust: event.Own, Source: "rapport", Props: b.Object()}
	if err := e.e.Broadcast(e.t.Context(), ev); err != nil {
		e.t.Fatal(err)
	}
}

// Whom more programs than are kept have passed over must not be woken under one that
// never made them: it would ask for what nobody has counted.
func TestNobodyIsWokenUnderAProgramThatNeverMadeThem(t *testing.T) {
	t.Parallel()
	e := newEditions(t, 1)
	e.letters("{not: {did: Cart Viewed, within: 2d}}", "")
	for n := range 3 {
		e.letters(fmt.Sprintf("{not: {did: Cart Viewed, within: %dh}}", 47-n), "")
	}
	e.letters("{not: {did: Product Viewed, within: 2d}}", "enter")
	e.letters("{not: {did: Product Viewed, within: 47h}}", "enter")
	e.edition(0)
	e.says("ada", "", "Cart Viewed", nil)
	e.settle()
	e.clock.Set(e.clock.Now().Add(24 * time.Hour))
	e.says("ada", "", "Product Viewed", nil)
	e.settle()
	e.clock.Set(e.clock.Now().Add(12 * time.Hour))
	for n := 1; n < 5; n++ {
		e.comes(n)
	}
	e.clock.Set(e.clock.Now().Add(14 * time.Hour))
	e.comes(5)
	e.settle()
	if p := e.who(identity.User, "ada"); len(p.Past)+len(p.Journeys) > 0 || p.Program != e.list[5].Hash {
		t.Errorf("ada has looked at a product two days ago at most, and is in a journey for those who have not: %+v", p.Past)
	}
}

// An alarm that is due when a program comes back fires under the one that was in force
// meanwhile, though that one has changed nothing of the customer.
func TestAnAlarmBeforeAProgramThatComesBackFiresUnderTheOneBetween(t *testing.T) {
	t.Parallel()
	for _, again := range []bool{false, true} {
		e := newEditions(t, 1)
		e.letters("{did: Cart Viewed, within: 2d}", "")
		e.letters("{did: Cart Viewed, within: 2d}", "leave")
		e.edition(0)
		e.says("ada", "", "Cart Viewed", nil)
		e.settle()
		e.edition(1)
		if again {
			e.again()
		}
		e.clock.Set(e.clock.Now().Add(50 * time.Hour))
		e.comes(0)
		e.settle()
		if p := e.who(identity.User, "ada"); len(p.Traits) != 1 || p.Program != e.list[0].Hash {
			t.Errorf("in memory %v: ada has left while there was a journey for it, and was not in it: %+v", !again, p.Traits)
		}
	}
}

// Whenever a sweep comes to customers, and however often the process is killed or the
// store stumbles meanwhile, they are where they would be had everybody been asked at once.
func TestASweepThatIsHinderedDoesNotMatter(t *testing.T) {
	t.Parallel()
	engine.PackHistory(make([]engine.Heard, 5000)) // what packs is shared, and no part of a bubble
	for seed := range seeds {
		for _, lanes := range []int{1, 4} {
			t.Run(fmt.Sprintf("seed %d, %d lanes", seed, lanes), func(t *testing.T) {
				told := func(late bool, cache int64) (all map[identity.ID]string) {
					synctest.Test(t, func(t *testing.T) {
						c := newChanging(t, seed, lanes, late)
						c.cache = cache
						c.play(seed, 150)
						all = c.told()
						if err := c.e.Close(context.WithoutCancel(t.Context())); err != nil {
							t.Error(err)
						}
					})
					return all
				}
				want := told(false, 0)
				for name, got := range map[string]map[identity.ID]string{"late": told(true, 0), "late in little memory": told(true, 1)} {
					if len(got) != len(want) {
						t.Fatalf("%s: %d customers, want %d", name, len(got), len(want))
					}
					for _, id := range slices.SortedFunc(maps.Keys(want), identity.ID.Compare) {
						if why := apart(got[id], want[id]); why != "" {
							t.Fatalf("%s: %s %s", name, id, why)
						}
					}
				}
			})
		}
	}
}

// apart returns what one story tells and the other does not. An alarm that fires with
// the event behind it is told after it, so their order is not compared.
func apart(got, want string) (why string) {
	count := map[string]int{}
	for line := range strings.Lines(got) {
		count[line]++
	}
	for line := range strings.Lines(want) {
		count[line]--
	}
	for _, line := range slices.Sorted(maps.Keys(count)) {
		if n := count[line]; n != 0 {
			why += fmt.Sprintf("\n%+d %s", n, strings.TrimSpace(line))
		}
	}
	return why
}
