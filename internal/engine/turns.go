package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/store"
)

// A program that comes into force is asked of everybody, as of the instant at which it
// came: whoever it finds, whenever that is, goes on from there as if it had been done
// at once. So it follows from the log who is where, and nothing of it stands there. Of
// each customer it is done before anything else happens to them, and of whom nothing
// happens to by a sweep.

// turns are the programs that customers of a lane may be under, as its position lists
// them, with what it takes to go from each to the next. They are never changed.
type turns struct {
	list  [store.MaxTurns]store.Turn // as of when they were made: Swept goes on in the position
	n     int
	progs [store.MaxTurns]*core.Program
	steps [store.MaxTurns]*core.Step // from the program before; nil: it is not known
}

// turnsOf loads the programs of a position.
func (l *lane) turnsOf(ctx context.Context, pos *store.Position) (*turns, error) {
	t := &turns{list: pos.Turns, n: pos.Force()}
	for i := range t.n {
		prog, err := l.e.o.Programs(ctx, t.list[i].Program)
		if err != nil {
			return nil, fmt.Errorf("loading program %016x: %w", t.list[i].Program, err)
		}
		t.progs[i] = prog
		if i > 0 {
			t.steps[i] = prog.From(t.progs[i-1])
		}
	}
	return t, nil
}

// last returns the program in force; nil before the first.
func (t *turns) last() *core.Program {
	if t.n == 0 {
		return nil
	}
	return t.progs[t.n-1]
}

// light reports whether no history is read of whom one of the programs evaluated.
func (t *turns) light() bool {
	for _, s := range t.steps[1:max(t.n, 1)] {
		if !s.Light() {
			return false
		}
	}
	return true
}

// has reports whether the program is one of them.
func (t *turns) has(program uint64) bool {
	return slices.ContainsFunc(t.list[:t.n], func(x store.Turn) bool { return x.Program == program })
}

// after returns the place of the first turn that a customer has not had, who was
// evaluated under the program.
func (t *turns) after(program uint64) int {
	for i := t.n - 1; i >= 0; i-- {
		if t.list[i].Program == program {
			return i + 1
		}
	}
	return 0 // nobody knows what was before: it is all made anew
}

// inForce puts the program in force as of now. The lock is held.
func (l *lane) inForce(ctx context.Context, hash uint64, now event.Time) error {
	pos := l.pos
	n := pos.Force()
	turn := store.Turn{Program: hash, Since: now}
	switch {
	case n == 0:
		turn.Swept = store.Everybody // nobody can have been born before the first program
	case pos.Program() == hash:
		return nil
	case n == store.MaxTurns, l.turns.has(hash) && l.behind():
		// Whom the sweep has not reached yet passes over what was between: it is all made
		// anew, as of now.
		pos.Turns, n = [store.MaxTurns]store.Turn{}, 0
	}
	pos.Turns[n] = turn
	t, err := l.turnsOf(ctx, &pos)
	if err != nil {
		return err
	}
	l.pos.Turns = pos.Turns
	l.putInForce(t)
	return nil
}

// putInForce makes the turns those of the lane, and what is looked at for a sweep of
// others old. The lock is held.
func (l *lane) putInForce(t *turns) {
	l.turns, l.prog = t, t.last()
	l.showRuns()
	l.restart()
}

// behind reports whether the program in force has not come to everybody. The lock is held.
func (l *lane) behind() bool {
	n := l.pos.Force()
	return n > 0 && l.pos.Turns[n-1].Swept < store.Everybody
}

// reads reports whether the turns that a customer has not had read of their history.
func (t *turns) reads(p *profile.Profile) bool {
	first := t.after(p.Program)
	if t.steps[first].Reads(p) != core.ReadsNothing {
		return true
	}
	for _, s := range t.steps[first+1 : t.n] {
		if p.Count > 0 && !s.Light() {
			return true
		}
	}
	return false
}

// passing is memory for what turns make of one customer after another, of whom hardly
// anybody changes: it is written over by the next.
type passing struct {
	made []made
	own  profile.Profile
}

// made is what a turn made of a customer.
type made struct {
	next *profile.Profile
	eff  core.Effects
	now  event.Time
}

// past reads the wanted events of a customer; wanted nil: every event.
type past func(ctx context.Context, p *profile.Profile, wanted func(event.Type, string) bool) ([]Heard, error)

// pass returns what the turns that a customer has not had make of them, each of what
// the one before left. Who waits for a catch-up of their own gets it as of now. It
// changes nothing, so several may be asked for at once. With memory for it, what is
// returned is out of use when the next one comes.
func (t *turns) pass(ctx context.Context, p *profile.Profile, now event.Time, read past, room *passing) (all []made, err error) {
	var own *profile.Profile // of the first turn; nil: new
	if room != nil {
		clear(room.made)
		all, own = room.made[:0], &room.own
		defer func() { room.made = all[:len(all):cap(all)] }()
	}
	if profile.Pending(p.Program) {
		m, err := t.turn(ctx, t.n-1, p, now, read, own)
		return append(all, m), err
	}
	for i := t.after(p.Program); i < t.n; i++ {
		since := t.list[i].Since
		if i > 0 && p.Alarm <= since {
			m, err := t.wake(i-1, p, since)
			if err != nil {
				return nil, err
			}
			all, p = append(all, m), m.next
		}
		m, err := t.turn(ctx, i, p, since, read, own)
		if err != nil {
			return nil, err
		}
		all, p, own = append(all, m), m.next, nil
	}
	return all, nil
}

// turn makes of a customer what one turn does, as of now, into own if there is one.
func (t *turns) turn(ctx context.Context, i int, p *profile.Profile, now event.Time, read past, own *profile.Profile) (m made, err error) {
	step := t.steps[i]
	var history []Heard
	switch step.Reads(p) {
	case core.ReadsSome:
		history, err = read(ctx, p, step.Wants)
	case core.ReadsAll:
		history, err = read(ctx, p, nil)
	}
	if err != nil {
		return made{}, err
	}
	events := make([]*event.Event, len(history))
	for i := range history {
		events[i] = &history[i].Event
	}
	defer poisoned(&err)
	if own == nil {
		own = new(profile.Profile)
	}
	m.now = now
	m.next, m.eff = t.progs[i].CatchUpInto(own, p, events, now, step)
	return m, nil
}

// wake fires the alarms that come before the turn after one.
func (t *turns) wake(i int, p *profile.Profile, now event.Time) (m made, err error) {
	defer poisoned(&err)
	m.now = now
	m.next, m.eff = t.progs[i].Wake(p, now)
	return m, nil
}

// poisoned makes an error of a panic of the core.
func poisoned(err *error) {
	if r := recover(); r != nil {
		*err = &poison{fmt.Sprintf("%v\n%s", r, debug.Stack())}
	}
}

// evaluated sees to it that a profile says under which program it counts as evaluated.
// The lock is held.
func (l *lane) evaluated(it *item) { l.underProgram(it, l.pos.Evaluated(it.p, 0)) }

// underProgram notes in memory under which program somebody counts as evaluated. The lock
// is held.
func (l *lane) underProgram(it *item, program uint64) {
	if program != it.p.Program && it.p.Lives() && !profile.Pending(it.p.Program) {
		own := *it.p
		own.Program = program
		l.gather(it)
		it.p = &own // the store need not know
	}
}

// current brings the customer up to the program in force, reading their history if a
// program asks something new. The lock is held.
func (l *lane) current(ctx context.Context, it *item, now event.Time) error {
	if l.evaluated(it); l.prog.Current(it.p) {
		return nil
	}
	all, err := l.turns.pass(ctx, it.p, now, l.history, nil)
	if err != nil {
		return err
	}
	l.takeTurns(it, all)
	return nil
}

// takeTurns makes what turns made of a customer the lane's state. The lock is held.
func (l *lane) takeTurns(it *item, all []made) {
	for i := range all {
		m := &all[i]
		l.take(it, m.next, &m.eff, nil, m.now)
	}
}

// currentAll brings those whom a record is about up to the program in force, on
// every processor: while a sweep is under way, live events should not wait until
// histories are read one after the other. Of whom that fails, each entry says so. The
// lock is held.
func (l *lane) currentAll(ctx context.Context, all []entry, now event.Time) {
	type one struct {
		it   *item
		made []made
		err  error
	}
	var late []one
	var asked map[identity.ID]bool
	for i := range all {
		id := all[i].To
		if id.Zero() || l.prog == nil {
			return // the program may change within the record
		}
		it := l.cache.items[id]
		if it == nil || it.damaged {
			continue
		}
		if l.evaluated(it); l.prog.Current(it.p) || asked[id] {
			continue
		}
		if asked == nil {
			asked = make(map[identity.ID]bool, len(all)-i)
		}
		asked[id] = true
		late = append(late, one{it: it})
	}
	if len(late) == 0 {
		return
	}
	processors := runtime.GOMAXPROCS(0)
	share := min((len(late)+processors-1)/processors, askedAtOnce)
	each((len(late)+share-1)/share, 1, func(n int) {
		part := late[n*share : min((n+1)*share, len(late))]
		var strands []store.Strand
		for i := range part {
			if p := part[i].it.p; l.turns.reads(p) {
				for _, id := range StrandsOf(p.ID, p.Strands) {
					strands = append(strands, store.Strand{ID: id})
				}
			}
		}
		blocks, err := l.histories(ctx, strands)
		room := readings.Get().(*reading)
		defer room.done()
		for i := range part {
			o := &part[i]
			if o.err = err; err == nil {
				o.made, o.err = l.turns.pass(ctx, o.it.p, now, l.historyOf(blocks, true, room), nil)
			}
		}
	})
	for i := range late {
		if o := &late[i]; o.err == nil {
			l.takeTurns(o.it, o.made)
		}
	}
}

// leave deals with why a customer could not be brought up to the definitions in
// force: what is their own trouble is put aside, and tried again when something
// happens to them. The lock is held.
func (l *lane) leave(it *item, err error) error {
	p, ok := errors.AsType[*poison](err)
	if !ok {
		return err
	}
	l.silence(it, "the core could not bring this customer up to the definitions in force", p.stack)
	if !profile.Pending(it.p.Program) {
		it.p.Program = profile.CatchUpFailed // silence made the copy
	}
	return nil
}
