package core

import (
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

// claim asks the homes of the event's other identifiers to recognise p as their
// owner. An identifier beyond its kind's limit is dropped: the shared tablet
// with two hundred log-ins stays a tablet.
func (r *run) claim(e *event.Event) {
	var few [4]identity.Identifier
	for _, id := range identity.AppendOf(few[:0], e) {
		if _, known := r.p.Holds(id); known {
			continue
		}
		if !r.p.Room(id.Kind, r.now) {
			continue
		}
		// A text of its own: a profile must not hold on to the record it came in.
		id.Kind, id.Value = identity.Kind(strings.Clone(string(id.Kind))), strings.Clone(id.Value)
		r.p.Hold(profile.Held{Identifier: id, State: profile.Asked, At: r.now})
		r.ask(id)
	}
}

func (r *run) ask(id identity.Identifier) {
	r.send(r.Key.Home(id), r.system(event.Claim, "claim:"+id.String()+":"+r.p.ID.String()+":"+strconv.FormatInt(int64(r.now), 36), r.rank(id)))
}

// rank says who speaks and by what right, beside the identifier in question.
func (r *run) rank(id identity.Identifier) *event.Builder {
	var b event.Builder
	rank := r.p.Rank()
	b.Set("kind", event.Text(string(id.Kind))).Set("value", event.Text(id.Value)).Set("by", event.Text(r.p.ID.String()))
	b.Set("known", event.Yes(rank.Known)).Set("born", event.Int(int64(rank.Born)))
	return &b
}

// claimed answers a claim at the identifier's home or at the profile that owns
// it. Whoever has the higher rank keeps; two user ids never meet in one profile.
func (r *run) claimed(e *event.Event) {
	id := identity.Identifier{Kind: identity.Kind(e.Props.Text("kind")), Value: e.Props.Text("value")}
	by, err := identity.ParseID(e.Props.Text("by"))
	if err != nil {
		return // unreachable: only ask writes claims
	}
	theirs := identity.Rank{Known: truth(e.Props, "known"), Born: number(e.Props, "born"), ID: by}
	switch {
	case by == r.p.ID:
		// The claim came home: somebody made p the owner meanwhile.
		r.p.Hold(profile.Held{Identifier: id, State: profile.Owned, At: r.now})
	case r.p.Born == 0:
		// Nobody has been here: the home becomes a signpost.
		r.p.Owner = by
		r.p.Birth = id
		r.send(by, r.answer(event.Grant, id, by))
	case !r.mayMeet(theirs):
		r.send(by, r.answer(event.Refuse, id, by))
	case theirs.Outranks(r.p.Rank()):
		r.join(by)
	default:
		r.send(by, r.system(event.Rise, "rise:"+id.String()+":"+r.p.ID.String()+":"+by.String(), r.rank(id)))
	}
}

// mayMeet is the guard of merges: two profiles that both have a user id are two
// people.
func (r *run) mayMeet(theirs identity.Rank) bool { return !theirs.Known || !r.p.Rank().Known }

// asked joins a higher profile that a claim has met, unless p has become
// somebody or something higher meanwhile.
func (r *run) asked(e *event.Event) {
	id := identity.Identifier{Kind: identity.Kind(e.Props.Text("kind")), Value: e.Props.Text("value")}
	to, err := identity.ParseID(e.Props.Text("by"))
	if err != nil || to == r.p.ID {
		return
	}
	theirs := identity.Rank{Known: truth(e.Props, "known"), Born: number(e.Props, "born"), ID: to}
	switch {
	case !r.mayMeet(theirs):
		r.p.Hold(profile.Held{Identifier: id, State: profile.Refused, At: r.now})
	case theirs.Outranks(r.p.Rank()):
		r.join(to)
	default:
		r.ask(id) // by its present rank p keeps: the other side joins
	}
}

// join makes p a signpost to a higher profile and sends its state there.
func (r *run) join(to identity.ID) {
	state := r.p.Append(nil)
	var b event.Builder
	b.Set("state", event.Text(string(state)))
	r.send(to, r.system(event.Strand, "strand:"+r.p.ID.String()+":"+to.String()+":"+strconv.FormatInt(int64(r.now), 36), &b))
	for _, name := range r.Segments.Members(r.p) {
		// A signpost is in no segment: who counts customers must not count it too.
		r.eff.Changes = append(r.eff.Changes, insight.Change{Segment: name, Key: condition.SegmentKey(name), At: r.now, Silent: true})
	}
	// What waits goes with the strand; the signpost keeps only its name.
	*r.p = profile.Profile{ID: r.p.ID, Owner: to, Birth: r.p.Birth, Born: r.p.Born, Program: r.p.Program, Alarm: event.Never}
	r.eff.Left = true
}

func (r *run) answer(name string, id identity.Identifier, to identity.ID) event.Event {
	var b event.Builder
	b.Set("kind", event.Text(string(id.Kind))).Set("value", event.Text(id.Value))
	return r.system(name, name+":"+id.String()+":"+to.String()+":"+strconv.FormatInt(int64(r.now), 36), &b)
}

// answered takes the answer to a claim.
func (r *run) answered(e *event.Event) {
	id := identity.Identifier{Kind: identity.Kind(e.Props.Text("kind")), Value: e.Props.Text("value")}
	state := profile.Owned
	if e.Name == event.Refuse {
		state = profile.Refused
		if e.Props.Text("why") == erasedWhy {
			r.unlearn(id)
			return
		}
	}
	r.p.Hold(profile.Held{Identifier: id, State: state, At: r.now})
}

// adopt takes in the strand of a profile that joined.
func (r *run) adopt(e *event.Event) {
	v, _ := e.Props.Get("state")
	s, err := profile.Decode(v.Raw)
	if err != nil {
		panic(err) // the engine puts the entry aside with its stack
	}
	if !r.p.Join(s) {
		return
	}
	recalls := r.Journeys.Join(r.p, s)
	r.eff.Facts = append(r.eff.Facts, r.fact(event.ProfilesJoined, "joined", event.Text(s.ID.String())))
	r.eff.Joined = append(r.eff.Joined, s.ID)
	r.follow(journey.Out{Recalls: recalls})
	r.shorten(s)
	// Every question is asked again of the united customer.
	r.p.Program = profile.JoinedLive
	if r.origin != event.Live {
		r.p.Program = profile.JoinedImport
	}
}

// shorten tells the homes that point to the strand where everything goes from now
// on. Without it each join made the way from an old identifier one hop longer, and
// a customer who signs in on one device after the other, the oldest last, would
// at last be out of reach.
func (r *run) shorten(s *profile.Profile) {
	told := []identity.ID{s.ID, r.p.ID} // the strand knows
	tell := func(home identity.ID) {
		if slices.Contains(told, home) {
			return
		}
		told = append(told, home)
		var b event.Builder
		b.Set("to", event.Text(r.p.ID.String()))
		r.send(home, r.system(event.Moved, "moved:"+home.String()+":"+r.p.ID.String(), &b))
	}
	for _, id := range s.Strands {
		tell(id)
	}
	for i := range s.Held {
		if h := &s.Held[i]; h.State == profile.Owned {
			tell(r.Key.Home(h.Identifier))
		}
	}
}

// moved returns the signpost p as the entry turns it. The owner that it names is
// one to which everything of p came already, by way of the old one, so pointers
// still go only upwards.
func moved(p *profile.Profile, e *event.Event) *profile.Profile {
	to, err := identity.ParseID(e.Props.Text("to"))
	if err != nil || to == p.ID || to == p.Owner {
		return p
	}
	own := *p
	own.Owner = to
	return &own
}

// send forwards an entry to another home.
func (r *run) send(to identity.ID, e event.Event) {
	r.eff.Forwards = append(r.eff.Forwards, identity.Addressed{To: to, Event: e})
}

// system makes an entry of the product's own. Its id is made of what it says, so
// the same entry sent twice is one.
func (r *run) system(name, id string, b *event.Builder) event.Event {
	return event.Event{ID: event.ID(id), Type: event.System, Name: name, At: r.now, Origin: r.origin, Trust: event.Own, Source: "rapport", Props: b.Object()}
}

func (r *run) fact(name, key string, v event.Value) event.Event {
	var b event.Builder
	b.Set(key, v)
	return r.system(name, name+":"+r.p.ID.String()+":"+v.String(), &b)
}

func truth(o event.Object, key string) bool {
	v, _ := o.Get(key)
	return v.Kind == event.True
}

func number(o event.Object, key string) event.Time {
	n, _ := strconv.ParseInt(o.Text(key), 10, 64)
	return event.Time(n)
}
