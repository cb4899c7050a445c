package suggest_test

import (
	"context"
	"iter"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/core/recommend"
	"rapport/internal/fault"
	"rapport/internal/feed"
	"rapport/internal/store"
	"rapport/internal/suggest"
)

var noon = event.At(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))

// shelf is a catalogue of lamps and vases with two sizes each.
type shelf map[string]recommend.Good

func (s shelf) Good(name string) (recommend.Good, bool) {
	for _, g := range s {
		if g.Is(name) {
			return g, true
		}
	}
	return recommend.Good{}, false
}

func (shelf) Round() uint64 { return 1 }

func (s shelf) Descriptions(context.Context) iter.Seq2[recommend.Description, error] {
	return func(yield func(recommend.Description, error) bool) {
		for name, g := range s {
			if !yield(recommend.Description{Name: name, Title: g.Title, Categories: []string{g.Category}}, nil) {
				return
			}
		}
	}
}

func goods() shelf {
	s := shelf{}
	for i, title := range []string{"Red lamp", "Blue lamp", "Tall vase", "Small vase", "Oak table"} {
		name := strconv.Itoa(i)
		s[name] = recommend.Good{Name: name, Names: []string{name + "-s", name + "-l"}, SKU: name + "-s", Title: title, Category: "Home/" + title[len(title)-4:], Available: true, Price: 10 * money.One, Currency: "GBP"}
	}
	return s
}

// fed is a store of which only the feed is asked.
type fed struct {
	store.Store
	rows []feed.Row
}

func (f *fed) Feed(_ context.Context, _ int, after uint64, _ int) ([]store.Feed, error) {
	if after >= 1 {
		return nil, nil
	}
	var body []byte
	for i := range f.rows {
		body = f.rows[i].Append(body)
	}
	return []store.Feed{{From: 0, To: 1, Body: feed.NewPacker().Pack(body)}}, nil
}

// told is a store whose feed is many blocks.
type told struct {
	store.Store
	blocks [][]byte
}

func (f *told) Feed(_ context.Context, _ int, after uint64, limit int) (list []store.Feed, _ error) {
	for n := after; n < min(after+uint64(limit), uint64(len(f.blocks))); n++ {
		list = append(list, store.Feed{From: n, To: n + 1, Body: f.blocks[n]})
	}
	return list, nil
}

// What is known of segments grows with the people in them and not with what the
// feed says: a name that is kept must not keep the whole block that it was read from.
func TestWhoIsInWhichSegmentKeepsNothingOfTheFeed(t *testing.T) { // alone: it weighs the heap
	const blocks = 200
	f, words := &told{}, strings.Repeat("x", 100<<10)
	for i := range blocks {
		var body []byte
		for _, r := range []feed.Row{
			{Kind: feed.Event, Profile: who(byte(i)), At: noon, Now: noon, Name: "Looked", Props: new(event.Builder).SetText("words", words).Object()},
			{Kind: feed.Segment, Profile: who(byte(i)), At: noon, Now: noon, Name: "regulars", In: true},
		} {
			body = r.Append(body)
		}
		f.blocks = append(f.blocks, feed.NewPacker().Pack(body))
	}
	grown := 0
	synctest.Test(t, func(t *testing.T) {
		room := suggest.New(suggest.Options{Store: f, Lanes: 1, Now: func() event.Time { return noon }})
		before := heap()
		room.Start(t.Context())
		time.Sleep(time.Minute)
		grown = heap() - before
		if err := room.Close(); err != nil {
			t.Error(err)
		}
	})
	if grown > blocks*20<<10 {
		t.Errorf("what was learnt of %d blocks of 100 kB takes %d kB", blocks, grown>>10)
	}
}

// heap returns how many bytes are in use.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

type world struct {
	t    *testing.T
	room *suggest.Room
	now  event.Time
	n    int
}

func newWorld(t *testing.T, s suggest.Shelf) *world {
	t.Helper()
	w := &world{t: t, now: noon}
	w.room = suggest.New(suggest.Options{Store: &fed{}, Lanes: 1, Now: func() event.Time { return w.now }, Shelf: s})
	if s != nil {
		if err := w.room.Describe(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func who(n byte) identity.ID { return identity.ID{n, 1} }

func (w *world) hear(n byte, name string, props event.Object) {
	w.n++
	w.now = w.now.Add(time.Second)
	w.room.Hear([]identity.Addressed{{To: who(n), Event: event.Event{ID: event.ID(strconv.Itoa(w.n)), Type: event.Track, Name: name, At: w.now, Props: props}}})
}

func (w *world) look(n byte, skus ...string) {
	for _, sku := range skus {
		w.hear(n, event.ProductViewed, new(event.Builder).SetText("sku", sku).Object())
	}
}

func order(id string, skus ...string) event.Object {
	var lines []event.Value
	for _, sku := range skus {
		lines = append(lines, event.Nested(new(event.Builder).SetText("sku", sku).Set("quantity", event.Int(1)).Set("price", event.Int(10)).Object()))
	}
	return new(event.Builder).SetText("order_id", id).SetText("currency", "GBP").SetText("store", "leeds").Set("products", event.ListOf(lines...)).Object()
}

func (w *world) buy(n byte, skus ...string) {
	w.hear(n, event.OrderCompleted, order("o"+strconv.Itoa(w.n), skus...))
}

func (w *world) ask(n byte, list string, change ...func(*suggest.Question)) suggest.Answer {
	w.t.Helper()
	q := suggest.Question{Visitors: []identity.ID{who(n)}, Steps: [][]suggest.Part{{{List: list}}}, Now: w.now, Store: "leeds", Serving: recommend.Serving{N: 10, Rules: recommend.Rules{Owning: recommend.Owning{For: 90 * 24 * time.Hour}}}}
	for _, c := range change {
		c(&q)
	}
	a, err := w.room.Ask(&q)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func strict(q *suggest.Question) { q.Strict = true }

func picks(a suggest.Answer) (names []string) {
	for _, p := range a.Picks {
		names = append(names, p.Name)
	}
	return names
}

func TestTheClickThatWasJustAnsweredIsInTheNextList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, goods())
	w.look(1, "0", "2")
	w.look(2, "1", "4-s")
	w.look(3, "0-l")
	if got := picks(w.ask(3, suggest.Session, strict)); !slices.Equal(got, []string{"2"}) {
		t.Errorf("after a lamp: %v", got)
	}
	w.look(3, "1")
	if got := picks(w.ask(3, suggest.Session, strict)); !slices.Contains(got, "4") {
		t.Errorf("after another lamp: %v", got)
	}
	if a := w.ask(9, suggest.Session, strict); a.Picks != nil {
		t.Errorf("somebody of whom nothing is known gets %v", picks(a))
	}
	if got := picks(w.ask(9, suggest.Session, strict, func(q *suggest.Question) { q.Clicks = []string{"0-s"} })); !slices.Contains(got, "2") {
		t.Errorf("a visit that the shop itself tells: %v", got)
	}
}

func TestWhatWasBoughtAMomentAgoIsInNoList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, goods())
	for n := byte(1); n < 20; n++ {
		w.hear(n, event.ProductSearched, new(event.Builder).SetText("query", "Lamp").Object())
		w.look(n, "0", "1", "2", "3")
		w.buy(n, "0-l", "1", "2", "3-s")
		w.look(n, "0", "1")
	}
	p := profile.New(who(50))
	p.Bought = []profile.Bought{{SKU: "2-s", Count: 5, First: noon.Add(-300 * 24 * time.Hour), Last: noon.Add(-200 * 24 * time.Hour)}, {SKU: "0-s", Count: 5, First: noon.Add(-300 * 24 * time.Hour), Last: noon.Add(-200 * 24 * time.Hour)}}
	w.look(50, "1")
	all := func() map[string][]string {
		lists := map[string][]string{}
		for _, list := range suggest.Lists() {
			lists[list] = picks(w.ask(50, list, func(q *suggest.Question) { q.Profile, q.Phrase, q.Item = p, "lamp", "1" }))
		}
		return lists
	}
	before := all()
	for _, list := range []string{suggest.Session, suggest.Together, suggest.Restock, suggest.Popular, suggest.Trending, suggest.Place, suggest.Similar, suggest.Search} {
		if !slices.Contains(before[list], "0") {
			t.Errorf("%s before the purchase: %v, want product 0 in it", list, before[list])
		}
	}
	w.buy(50, "0-s") // a variant, and the profile does not know of it yet
	for list, got := range all() {
		if slices.Contains(got, "0") {
			t.Errorf("%s shows what was just bought: %v", list, got)
		}
	}
}

func TestAPhraseWithoutAResultYieldsNoList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, goods())
	for n := byte(1); n < 9; n++ {
		w.look(n, "0", "1")
		w.buy(n, "2")
	}
	w.hear(10, event.ProductSearched, new(event.Builder).SetText("query", "Bedside  light").Object())
	w.look(10, "1")
	phrase := func(words string) func(*suggest.Question) { return func(q *suggest.Question) { q.Phrase = words } }
	if got := picks(w.ask(11, suggest.Search, phrase("bedside LIGHT"))); !slices.Equal(got, []string{"1"}) {
		t.Errorf("what followed it: %v", got)
	}
	if got := picks(w.ask(11, suggest.Search, phrase("vase"))); len(got) != 2 {
		t.Errorf("what is described so: %v", got)
	}
	for _, words := range []string{"unicorn", "", "   ", string(make([]byte, 1000))} {
		if got := picks(w.ask(11, suggest.Search, phrase(words))); got != nil {
			t.Errorf("%.20q yields %v", words, got)
		}
	}
}

func TestAListIsShortRatherThanPadded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, goods())
	for _, list := range suggest.Lists() {
		if got := picks(w.ask(1, list, func(q *suggest.Question) { q.Phrase = "zzz" })); got != nil {
			t.Errorf("%s of a shop of which nothing is known: %v", list, got)
		}
	}
	if _, err := w.room.Ask(&suggest.Question{Steps: [][]suggest.Part{{{List: "anything"}}}, Serving: recommend.Serving{N: 1}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a list that there is not: %v", err)
	}
}

func TestWhatWasBeforeAndWhatIsHeardMeanwhileCountOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		look := func(n byte, sku string, at, now event.Time) feed.Row {
			return feed.Row{Kind: feed.Event, Profile: who(n), At: at, Now: now, Name: event.ProductViewed, Props: new(event.Builder).SetText("sku", sku).Object()}
		}
		s := &fed{rows: []feed.Row{
			look(1, "old", noon-2000, noon-2000), look(1, "lamp", noon-1000, noon-1000),
			{Kind: feed.Segment, Profile: who(3), At: noon - 900, Now: noon - 900, Name: "keen", In: true},
			{Kind: feed.Event, Profile: who(3), At: noon - 800, Now: noon - 800, Name: event.OrderCompleted, Props: order("1", "lamp")},
			look(2, "new", noon+1000, noon+1000), // heard by this process too
		}}
		w := &world{t: t, now: noon}
		w.room = suggest.New(suggest.Options{Store: s, Lanes: 1, Now: func() event.Time { return w.now }})
		w.hear(2, event.ProductViewed, new(event.Builder).SetText("sku", "new").Object())
		w.room.Start(t.Context())
		w.hear(2, event.ProductViewed, new(event.Builder).SetText("sku", "lamp").Object())
		synctest.Wait()
		if got := picks(w.ask(9, suggest.Session, strict, func(q *suggest.Question) { q.Clicks = []string{"lamp"} })); !slices.Contains(got, "old") {
			t.Errorf("after a lamp: %v, want what was before the start", got)
		}
		if got := picks(w.ask(9, suggest.Segment, strict, func(q *suggest.Question) { q.Segment = "keen" })); !slices.Equal(got, []string{"lamp"}) {
			t.Errorf("popular in the segment: %v", got)
		}
		if got := picks(w.ask(9, suggest.Popular, strict)); !slices.Equal(got, []string{"lamp"}) {
			t.Errorf("popular: %v", got)
		}
		if err := w.room.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestARepeatedEventCountsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.ask(1, suggest.Popular) // from now on there is a share
	e := identity.Addressed{To: who(1), Event: event.Event{ID: "same", Type: event.Track, Name: event.OrderCompleted, At: noon, Props: order("1", "lamp")}}
	for range 3 {
		w.room.Hear([]identity.Addressed{e})
	}
	if f := w.room.Figures(); f.Orders != 1 || f.Revenue != 10*money.One {
		t.Errorf("%d orders of %s", f.Orders, f.Revenue)
	}
	imported := e
	imported.Event.ID, imported.Event.Origin = "import", event.Import
	w.room.Hear([]identity.Addressed{imported})
	if f := w.room.Figures(); f.Orders != 1 {
		t.Error("history counts as revenue of today")
	}
}

func TestWhatSuggestionsBroughtIsCountedAndOutlastsTheProcess(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), suggest.File)
	w := &world{t: t, now: noon}
	open := func() *suggest.Room {
		return suggest.New(suggest.Options{Store: &fed{}, Lanes: 1, Now: func() event.Time { return w.now }, Shelf: goods(), File: file})
	}
	w.room = open()
	if err := w.room.Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.look(1, "0", "2")
	w.look(2, "0")
	w.ask(2, suggest.Session, strict, func(q *suggest.Question) { q.Quiet = true })
	w.ask(2, suggest.Session, strict) // shows 2
	w.ask(2, suggest.Restock)         // shows nothing
	w.buy(2, "2-l", "4")              // 2 was suggested, 4 was not
	w.buy(1, "2")                     // nobody suggested anything to 1
	check := func(r *suggest.Room, sold int) {
		t.Helper()
		f := r.Figures()
		if f.Lists != 2 || f.Empty != 1 || f.Items != 1 || f.Orders != 2 || f.Credited != 1 || f.Revenue != 30*money.One || f.Online != 10*money.One || f.Suggested != 1 || f.Sold != sold {
			t.Errorf("%+v", f)
		}
	}
	check(w.room, 5)
	if err := w.room.Close(); err != nil {
		t.Fatal(err)
	}
	again := open()
	again.Start(t.Context())
	defer func() { _ = again.Close() }()
	if f := again.Figures(); f.Lists != 2 || f.Credited != 1 || f.Suggested != 1 || f.Online != 10*money.One {
		t.Errorf("after a restart %+v", f)
	}
}

func TestWhatWasShownOftenEnoughWithoutALookIsNotShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, goods())
	w.look(1, "0", "2")
	w.look(2, "0")
	twice := func(q *suggest.Question) { q.Strict, q.Serving.ShownMost = true, 2 }
	for range 2 {
		if got := picks(w.ask(2, suggest.Session, twice)); len(got) != 1 {
			t.Fatalf("%v", got)
		}
	}
	if a := w.ask(2, suggest.Session, twice); a.Picks != nil || a.Left[recommend.ShownEnough] != 1 {
		t.Errorf("a third time: %v", picks(a))
	}
	w.look(2, "2", "0")
	if got := picks(w.ask(2, suggest.Session, twice)); len(got) != 1 {
		t.Errorf("after a look: %v", got)
	}
}

func TestWhoIsErasedIsInNoList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.look(1, "lamp", "secret")
	w.room.Forget(who(1))
	if got := picks(w.ask(2, suggest.Session, strict, func(q *suggest.Question) { q.Clicks = []string{"lamp"} })); got != nil {
		t.Errorf("after a lamp: %v", got)
	}
}
