package storetest

import (
	"fmt"
	"slices"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/store"
)

func loads(t *testing.T, open Open) {
	s := opened(t, open)
	newWriter(t, s).commit(store.Commit{Profiles: []store.Row{row(3, "c"), row(1, "a"), row(2, "")}})
	bodies, err := s.Load(t.Context(), people(2, 9, 1, 3, 1))
	must(t, bodies, err)
	var got []string
	for _, b := range bodies {
		if b.Body == nil {
			got = append(got, "nil")
		} else {
			got = append(got, string(b.Body))
		}
	}
	equal(t, "bodies", got, []string{"", "nil", "a", "c", "a"})
}

func loadsMany(t *testing.T, open Open) {
	s := opened(t, open)
	const n = 5000
	var rows []store.Row
	var all []identity.ID
	for i := range n {
		rows = append(rows, row(i, fmt.Sprint("body ", i)))
		all = append(all, person(n-1-i))
	}
	newWriter(t, s).commit(store.Commit{Profiles: rows})
	bodies, err := s.Load(t.Context(), all)
	for i, b := range must(t, bodies, err) {
		if string(b.Body) != fmt.Sprint("body ", n-1-i) {
			t.Fatalf("body of %d = %q", n-1-i, b.Body)
		}
	}
}

func profiles(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	w.commit(store.Commit{Profiles: []store.Row{row(5, "e"), row(1, "a"), {ID: person(3), Alarm: 77, Body: []byte("c")}}})
	w.commit(store.Commit{Profiles: []store.Row{row(4, "d"), row(2, "b"), row(1, "aa")}})
	got, err := s.Profiles(t.Context(), person(2), 3)
	equal(t, "rows", must(t, got, err), []store.Row{row(2, "b"), {ID: person(3), Alarm: 77, Body: []byte("c")}, row(4, "d")})
	got, err = s.Profiles(t.Context(), identity.ID{}, 1)
	equal(t, "first row", must(t, got, err), []store.Row{row(1, "aa")})
	got, err = s.Living(t.Context(), person(2), person(4), 10)
	equal(t, "rows between two", must(t, got, err), []store.Row{row(2, "b"), {ID: person(3), Alarm: 77, Body: []byte("c")}, row(4, "d")})
	got, err = s.Living(t.Context(), person(2), person(4), 2)
	equal(t, "the first rows between two", must(t, got, err), []store.Row{row(2, "b"), {ID: person(3), Alarm: 77, Body: []byte("c")}})
	got, err = s.Profiles(t.Context(), person(6), 10)
	equal(t, "rows behind the last", must(t, got, err), []store.Row{})
}

func signposts(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	sign := func(n int, body string, signpost, turned bool) store.Row {
		r := row(n, body)
		r.Signpost, r.Turned = signpost, turned
		return r
	}
	living := func(what string, want ...store.Row) {
		t.Helper()
		got, err := s.Living(t.Context(), person(1), person(5), 10)
		equal(t, what, headless(must(t, got, err)), want)
	}
	w.commit(store.Commit{Profiles: []store.Row{row(1, "a"), sign(2, "b", true, false), row(3, "c"), sign(4, "d", true, false)}})
	living("who lives", row(1, "a"), row(3, "c"))
	got, err := s.Profiles(t.Context(), person(1), 10)
	equal(t, "all rows", must(t, got, err), []store.Row{row(1, "a"), row(2, "b"), row(3, "c"), row(4, "d")})
	w.commit(store.Commit{Profiles: []store.Row{sign(1, "aa", true, false), sign(2, "bb", false, false)}})
	living("nobody turned", row(1, "aa"), row(3, "c"))
	w.commit(store.Commit{
		Profiles: []store.Row{sign(1, "aaa", true, true), sign(2, "bbb", false, true), row(5, "e")},
		History:  []store.Block{block(1, 10, "moved", 1), block(2, 10, "moved", 2), block(5, 10, "new", 3)},
	})
	living("two turned", row(2, "bbb"), row(3, "c"), row(5, "e"))
	whole := row(3, "c")
	whole.Rest = []byte("seldom")
	w.commit(store.Commit{Profiles: []store.Row{whole}})
	living("parts apart", row(2, "bbb"), whole, row(5, "e"))
	w.commit(store.Commit{Profiles: []store.Row{{ID: person(3), Alarm: event.Never, Body: []byte("c"), Rest: []byte{}}}})
	got, err = s.Living(t.Context(), person(2), person(5), 2)
	equal(t, "the first of them", headless(must(t, got, err)), []store.Row{row(2, "bbb"), row(3, "c")})
}

// numbers keep the order in which rows came, and stay.
func numbers(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	sign := row(4, "d")
	sign.Signpost = true
	w.commit(store.Commit{Profiles: []store.Row{row(5, "e"), row(1, "a")}})
	w.commit(store.Commit{Profiles: []store.Row{row(1, "aa"), sign, row(3, "c")}, History: []store.Block{block(1, 10, "one", 1)}})
	w.commit(store.Commit{Profiles: []store.Row{row(2, "b"), row(5, "ee")}})
	order := []int{5, 1, 4, 3, 2}
	loaded, err := s.Load(t.Context(), people(append(order, 9)...))
	number := map[identity.ID]int64{}
	for i, r := range must(t, loaded, err) {
		switch {
		case r.ID != people(append(order, 9)...)[i]:
			t.Errorf("row %d is that of %v", i, r.ID)
		case i == len(order) && r.Number != 0, i < len(order) && r.Number <= 0, 0 < i && i < len(order) && r.Number <= loaded[i-1].Number:
			t.Errorf("row %d has number %d", i, r.Number)
		}
		number[r.ID] = r.Number
	}
	same := func(what string, rows []store.Row, err error, want ...store.Row) {
		t.Helper()
		equal(t, what, headless(must(t, rows, err)), want)
		for _, r := range rows {
			if r.Number != number[r.ID] {
				t.Errorf("%s: %v has number %d, want %d", what, r.ID, r.Number, number[r.ID])
			}
		}
	}
	e, a, c, b := row(5, "ee"), row(1, "aa"), row(3, "c"), row(2, "b")
	var page store.Page // used again and again
	census := func(what string, first, last int64, from, to, limit int, want ...store.Row) {
		t.Helper()
		rows, err := s.Census(t.Context(), first, last, person(from), person(to), limit, nil)
		same(what, rows, err, want...)
		rows, err = s.Census(t.Context(), first, last, person(from), person(to), limit, &page)
		same(what+", in a page", rows, err, want...)
	}
	census("everybody", 0, store.Everybody, 0, 9, 10, e, a, c, b)
	census("the first two", 1, store.Everybody, 0, 9, 2, e, a)
	census("from the third on", number[person(1)]+1, store.Everybody, 0, 9, 10, c, b)
	census("up to the third", 1, number[person(3)], 0, 9, 10, e, a, c)
	census("some ids", 1, store.Everybody, 2, 3, 10, c, b)
	census("nobody", number[person(2)]+1, store.Everybody, 0, 9, 10)
	rows, err := s.Living(t.Context(), person(1), person(9), 10)
	same("by id", rows, err, a, b, c, e)
	rows, err = s.Profiles(t.Context(), person(1), 10)
	same("all", rows, err, a, b, c, row(4, "d"), e)
	// Rows are written by their numbers; one that is another's changes nothing of theirs.
	numbered := func(n int, number int64, body, rest string, alarm event.Time, keep bool) store.Row {
		return store.Row{ID: person(n), Number: number, Alarm: alarm, KeepAlarm: keep, Body: []byte(body), Rest: []byte(rest)}
	}
	w.commit(store.Commit{Profiles: []store.Row{
		numbered(5, number[person(5)], "eee", "seldom", 7, false),
		numbered(1, number[person(1)], "aaa", "", 9, true),
		numbered(3, number[person(5)], "ccc", "not theirs", event.Never, true),
		numbered(2, store.Everybody, "bbb", "", event.Never, false),
		numbered(6, 0, "f", "", event.Never, false),
	}})
	e = store.Row{ID: person(5), Alarm: 7, Body: []byte("eee"), Rest: []byte("seldom")}
	a, b = row(1, "aaa"), row(2, "bbb")
	c = store.Row{ID: person(3), Alarm: event.Never, Body: []byte("ccc"), Rest: []byte("not theirs")}
	census("written by number", 1, number[person(2)], 0, 9, 10, e, a, c, b)
	last, err := s.LastNumber(t.Context())
	if n := must(t, last, err); n <= number[person(2)] {
		t.Errorf("the highest number is %d, and a row has %d", n, number[person(2)])
	}
}

// headless are rows without what only their store understands.
func headless(rows []store.Row) []store.Row {
	for i := range rows {
		rows[i].Head = 0
	}
	return rows
}

func block(n int, month int32, body string, prints ...uint64) store.Block {
	return store.Block{Strand: person(n), Shelf: store.Shelf{Month: month, Fingerprints: prints}, Body: []byte(body)}
}

func bodiesOf(blocks []store.Block) []string {
	var bodies []string
	for _, b := range blocks {
		bodies = append(bodies, string(b.Body))
	}
	return bodies
}

func history(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	w.commit(store.Commit{Profiles: []store.Row{row(1, "a")}, History: []store.Block{block(1, 10, "first", 1, 2), block(2, 10, "other", 3)}})
	w.commit(store.Commit{History: []store.Block{block(1, 10, "second", 4)}})
	w.commit(store.Commit{Profiles: []store.Row{row(1, "a"), row(2, "b")}})
	w.commit(store.Commit{History: []store.Block{block(1, 11, "third", 5), block(1, 11, "fourth")}})
	got, err := s.History(t.Context(), person(1))
	equal(t, "history", must(t, got, err), []store.Block{
		block(1, 10, "first", 1, 2), block(1, 10, "second", 4), block(1, 11, "third", 5), block(1, 11, "fourth"),
	})
	got, err = s.History(t.Context(), person(3))
	equal(t, "history of nobody", must(t, got, err), []store.Block{})
	// A strand with history and no row of its own is not a profile.
	b, err := s.Load(t.Context(), people(4))
	equal(t, "row of nobody", must(t, b, err), []store.Row{{ID: person(4)}})
}

func strands(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	for i, n := range []int{2, 1, 3, 1, 2, 2, 1} {
		w.commit(store.Commit{History: []store.Block{block(n, 10, fmt.Sprint(i)), block(5, 10, "elsewhere")}})
	}
	got, err := s.History(t.Context(), people(1, 2, 1, 9)...)
	equal(t, "history of 1 and 2", bodiesOf(must(t, got, err)), []string{"0", "1", "3", "4", "5", "6"})
	p, err := s.Profiles(t.Context(), identity.ID{}, 100)
	equal(t, "profiles", must(t, p, err), []store.Row{})
	alarm, err := s.NextAlarm(t.Context(), identity.ID{}, last)
	equal(t, "next alarm", must(t, alarm, err), event.Never)
	stats, err := s.Stats(t.Context())
	equal(t, "profiles counted", must(t, stats, err)["profiles"], int64(0))
}

func histories(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	for i, n := range []int{2, 1, 3, 1, 2, 2, 1} {
		c := store.Commit{History: []store.Block{block(n, int32(10+i/3), fmt.Sprint(i), uint64(i)), block(5, 10, "elsewhere", 9)}}
		if i < 2 {
			c.Profiles = []store.Row{row(n, "a")}
		}
		w.commit(c)
	}
	alone := func(n int) []store.Block {
		got, err := s.History(t.Context(), person(n))
		blocks := must(t, got, err)
		for i := range blocks {
			blocks[i].Shelf = store.Shelf{}
		}
		return blocks
	}
	got, err := s.Histories(t.Context(), unknown(people(3, 1, 9, 2, 1)))
	equal(t, "histories", must(t, got, err), [][]store.Block{alone(3), alone(1), nil, alone(2), alone(1)})
	equal(t, "history of 2", bodiesOf(got[3]), []string{"0", "4", "5"})
	got[1][0].Body[0] = 'x'
	equal(t, "history of 1, asked again", bodiesOf(got[4]), []string{"1", "3", "6"})
	rows, err := s.Living(t.Context(), person(1), person(3), 10)
	rows = must(t, rows, err)
	got, err = s.Histories(t.Context(), []store.Strand{{ID: person(1), Head: headOf(rows, 1)}, {ID: person(2), Head: headOf(rows, 2)}})
	equal(t, "histories of known heads", must(t, got, err), [][]store.Block{alone(1), alone(2)})
	w.commit(store.Commit{Forget: people(1)})
	got, err = s.Histories(t.Context(), unknown(people(1, 3)))
	equal(t, "histories after an erasure", must(t, got, err), [][]store.Block{nil, alone(3)})
	got, err = s.Histories(t.Context(), nil)
	equal(t, "histories of nobody", must(t, got, err), [][]store.Block{})
	_, err = s.Histories(cancelled(t), unknown(people(1)))
	ended(t, err)
}

// unknown are strands of which nobody knows where they begin.
func unknown(ids []identity.ID) (all []store.Strand) {
	for _, id := range ids {
		all = append(all, store.Strand{ID: id})
	}
	return all
}

// headOf returns what Living said of a person.
func headOf(rows []store.Row, n int) int64 {
	for i := range rows {
		if rows[i].ID == person(n) {
			return rows[i].Head
		}
	}
	return 0
}

// zigzag are months as late events bring them; several in one piece, as an import does.
var zigzag = [][]int32{{5}, {5}, {6}, {5}, {7, 3, 7}, {7}, {5}, {6, 5}, {8, 5}, {8, 5}, {5}, {8}, {8, 4}, {4}, {8}}

func months(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	var want []store.Block
	for i, months := range zigzag {
		b := block(1, months[0], fmt.Sprint(i), uint64(10*i), uint64(10*i+1))
		for k, m := range months[1:] {
			b.Others = append(b.Others, store.Shelf{Month: m, Fingerprints: []uint64{uint64(10*i + 2 + k)}})
		}
		c := store.Commit{History: []store.Block{b}}
		if i%3 == 0 {
			c.Profiles = []store.Row{row(1, "hot")}
		}
		w.commit(c)
		want = append(want, b)
		for _, month := range []int32{3, 4, 5, 6, 7, 8, 9, store.AnyMonth} {
			var prints []uint64
			for _, b := range want {
				b.Shelves(func(s store.Shelf) {
					if month == store.AnyMonth || s.Month == month {
						prints = append(prints, s.Fingerprints...)
					}
				})
			}
			got, err := s.Fingerprints(t.Context(), person(1), month)
			equal(t, fmt.Sprint("fingerprints of month ", month, " after commit ", i), slices.Sorted(slices.Values(must(t, got, err))), slices.Sorted(slices.Values(prints)))
		}
	}
	got, err := s.History(t.Context(), person(1))
	equal(t, "history", must(t, got, err), want)
	b, err := s.Load(t.Context(), people(1))
	equal(t, "row", string(must(t, b, err)[0].Body), "hot")
	// Whoever reads may write into what they got.
	got[4].Others[0].Fingerprints[0], got[4].Others[1] = 0, store.Shelf{}
	got, err = s.History(t.Context(), person(1))
	equal(t, "history, asked again", must(t, got, err), want)
}

func fingerprints(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	w.commit(store.Commit{History: []store.Block{block(1, 10, "a", 1, 2), block(1, 11, "b", 3), block(2, 10, "c", 4)}})
	w.commit(store.Commit{History: []store.Block{block(1, 10, "d", 1<<64-1), block(1, 0, "e"), block(1, -2, "f", 6)}})
	for _, test := range []struct {
		who   int
		month int32
		want  []uint64
	}{
		{1, 10, []uint64{1, 2, 1<<64 - 1}},
		{1, 11, []uint64{3}},
		{1, 12, nil},
		{1, 0, nil},
		{1, -2, []uint64{6}},
		{1, store.AnyMonth, []uint64{1, 2, 3, 6, 1<<64 - 1}},
		{2, store.AnyMonth, []uint64{4}},
		{3, store.AnyMonth, nil},
	} {
		got, err := s.Fingerprints(t.Context(), person(test.who), test.month)
		equal(t, fmt.Sprint("fingerprints of ", test.who, " in month ", test.month), slices.Sorted(slices.Values(must(t, got, err))), test.want)
	}
}

func alarm(n int, at event.Time) store.Row {
	return store.Row{ID: person(n), Alarm: at, Body: []byte{byte(n)}}
}

func due(t *testing.T, open Open) {
	s := opened(t, open)
	newWriter(t, s).commit(store.Commit{Profiles: []store.Row{
		alarm(1, 30), alarm(2, 10), alarm(3, 20), alarm(4, 10), alarm(5, 40), alarm(6, event.Never), alarm(7, 5), alarm(8, 31),
	}})
	for _, test := range []struct {
		name     string
		from, to int
		now      event.Time
		limit    int
		want     []identity.ID
	}{
		{"earliest first, then by id", 1, 8, 30, 100, people(7, 2, 4, 3, 1)},
		{"within the limit", 1, 8, 30, 3, people(7, 2, 4)},
		{"within the range, both ends in it", 2, 4, 30, 100, people(2, 4, 3)},
		{"none before its time", 1, 8, 4, 100, nil},
		{"one at its instant", 1, 8, 5, 100, people(7)},
		{"never is not now", 6, 6, event.Never - 1, 100, nil},
	} {
		got, err := s.Due(t.Context(), person(test.from), person(test.to), test.now, test.limit)
		equal(t, test.name, ids(must(t, got, err)), test.want)
	}
	got, err := s.Due(t.Context(), identity.ID{}, last, 5, 1)
	equal(t, "the row", must(t, got, err), []store.Row{alarm(7, 5)})
	for _, test := range []struct {
		after    store.Row
		from, to int
		limit    int
		want     []identity.ID
	}{
		{alarm(7, 5), 1, 8, 2, people(2, 4)},
		{alarm(2, 10), 1, 8, 100, people(4, 3, 1)},
		{alarm(4, 10), 1, 2, 100, people(1)},
		{alarm(3, 19), 1, 8, 1, people(3)}, // a row that is no longer there
		{alarm(1, 30), 1, 8, 100, nil},
	} {
		got, err := s.DueAfter(t.Context(), test.after, person(test.from), person(test.to), 30, test.limit)
		equal(t, fmt.Sprint("due after ", test.after.ID), ids(must(t, got, err)), test.want)
	}
}

func alarmGone(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	w.commit(store.Commit{Profiles: []store.Row{alarm(1, 10), alarm(2, 20), alarm(3, 30)}})
	w.commit(store.Commit{Profiles: []store.Row{alarm(1, event.Never), alarm(2, 50)}})
	got, err := s.Due(t.Context(), identity.ID{}, last, 40, 100)
	equal(t, "due", ids(must(t, got, err)), people(3))
	got, err = s.Due(t.Context(), identity.ID{}, last, 50, 100)
	equal(t, "due later", ids(must(t, got, err)), people(3, 2))
}

func alarmKept(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	keep := func(n int, alarm event.Time, body string) store.Row {
		return store.Row{ID: person(n), Alarm: alarm, KeepAlarm: true, Body: []byte(body)}
	}
	w.commit(store.Commit{
		Profiles: []store.Row{alarm(1, 10), alarm(2, event.Never), alarm(3, 30), keep(4, 40, "new")},
		History:  []store.Block{block(1, 10, "a", 1)},
	})
	w.commit(store.Commit{
		Profiles: []store.Row{keep(1, 99, "one"), keep(2, 99, "two"), alarm(3, 31), keep(4, 99, "four")},
		History:  []store.Block{block(1, 10, "b", 2), block(2, 10, "c", 3)},
	})
	got, err := s.Profiles(t.Context(), identity.ID{}, 9)
	equal(t, "rows", must(t, got, err), []store.Row{
		{ID: person(1), Alarm: 10, Body: []byte("one")}, {ID: person(2), Alarm: event.Never, Body: []byte("two")}, alarm(3, 31), {ID: person(4), Alarm: 40, Body: []byte("four")},
	})
	got, err = s.Due(t.Context(), identity.ID{}, last, 98, 9)
	equal(t, "due", ids(must(t, got, err)), people(1, 3, 4))
}

func nextAlarm(t *testing.T, open Open) {
	s := opened(t, open)
	at := func(from, to identity.ID) event.Time {
		t.Helper()
		next, err := s.NextAlarm(t.Context(), from, to)
		return must(t, next, err)
	}
	equal(t, "of nobody", at(identity.ID{}, last), event.Never)
	newWriter(t, s).commit(store.Commit{Profiles: []store.Row{alarm(1, 10), alarm(2, 20), alarm(3, 5), alarm(4, event.Never)}})
	equal(t, "of all", at(identity.ID{}, last), event.Time(5))
	equal(t, "of 1 and 2", at(person(1), person(2)), event.Time(10))
	equal(t, "of 2", at(person(2), person(2)), event.Time(20))
	equal(t, "of 4", at(person(4), last), event.Never)
}

func rests(t *testing.T, open Open) {
	s := opened(t, open)
	w := newWriter(t, s)
	with := func(n int, alarm event.Time, body, rest string) store.Row {
		return store.Row{ID: person(n), Alarm: alarm, Body: []byte(body), Rest: []byte(rest)}
	}
	bodies := func() (all []string) {
		t.Helper()
		found, err := s.Load(t.Context(), people(1, 2, 3))
		for _, b := range must(t, found, err) {
			all = append(all, string(b.Body))
		}
		page, err := s.Profiles(t.Context(), person(1), 3)
		due, err2 := s.Due(t.Context(), identity.ID{}, last, 100, 3)
		for i, row := range must(t, page, err) {
			if string(row.Body) != all[i] || row.Rest != nil || string(must(t, due, err2)[i].Body) != all[i] {
				t.Fatalf("Load says %q, Profiles %q with the rest %q, Due %q", all[i], row.Body, row.Rest, due[i].Body)
			}
		}
		return all
	}
	w.commit(store.Commit{
		Profiles: []store.Row{with(1, 1, "hot", "+rest"), {ID: person(2), Alarm: 2, Body: []byte("whole")}, with(3, 3, "three", "+3")},
		History:  []store.Block{block(1, 10, "a", 1)},
	})
	equal(t, "new rows", bodies(), []string{"hot+rest", "whole", "three+3"})
	w.commit(store.Commit{
		Profiles: []store.Row{{ID: person(1), Alarm: 1, Body: []byte("hotter")}, with(2, 2, "two", "+2"), with(3, 3, "alone", "")},
		History:  []store.Block{block(1, 10, "b", 2), block(2, 10, "c", 3)},
	})
	equal(t, "one keeps its rest, one gets it, one loses it", bodies(), []string{"hotter+rest", "two+2", "alone"})
	w.commit(store.Commit{
		Profiles: []store.Row{with(1, 1, "hot", "+new"), {ID: person(2), Alarm: 2, Body: []byte("2")}, with(3, 3, "x", "+y"), {ID: person(3), Alarm: 3, Body: []byte("z")}},
		History:  []store.Block{block(1, 10, "d", 4), block(2, 10, "e", 5)},
	})
	equal(t, "of two rows in one commit the later", bodies(), []string{"hot+new", "2+2", "z+y"})
}
