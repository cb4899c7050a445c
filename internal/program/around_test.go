package program_test

import (
	"testing"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/place"
	"rapport/internal/core/profile"
	"rapport/internal/program"
)

// A segment is written as it was, and what it rests on is not: whoever catches up with
// the program is asked again. Where nothing of that kind changes they are left alone.
func TestASegmentIsAskedAgainWhenWhatItRestsOnChanges(t *testing.T) {
	t.Parallel()
	compiled := func(change map[string]string) *program.Program {
		t.Helper()
		change["segments/around.yaml"] = "segment: around\nwhen: {fence: town, seen_within: 30d}\n"
		src, err := program.New(files(change))
		if err != nil {
			t.Fatal(err)
		}
		p, problems := program.Compile(src, program.Options{Workspace: "test"})
		if p == nil {
			t.Fatal(problems)
		}
		return p
	}
	town := func(lat string) string { return "fence: town\ncircle: {lat: " + lat + ", lon: 2.3, radius: 5km}\n" }
	before := compiled(map[string]string{"fences/town.yaml": town("48.9")})
	moved := compiled(map[string]string{"fences/town.yaml": town("45.7")})
	other := compiled(map[string]string{"fences/town.yaml": town("48.9"), "segments/more.yaml": "segment: more\nwhen: {did: Product Viewed}\n"})
	now := event.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	p := profile.New(identity.ID{7})
	p.Where = profile.Whereabouts{Point: place.Point{Lat: 48.9, Lon: 2.3}.Round(), PointAt: now - 60_000}
	before.Core.Segments.All(p, now, false)
	key := condition.SegmentKey("around")
	if !p.Member(key).In {
		t.Fatal("who is in the town is not in the segment")
	}
	for name, c := range map[string]struct {
		p  *program.Program
		in bool
	}{"the fence is elsewhere": {moved, false}, "there is another segment": {other, true}} {
		own := *p
		// Nobody may ask where they are: what is asked again is found wrong.
		if c.in {
			own.Where = profile.Whereabouts{}
		}
		c.p.Core.Segments.Since(c.p.Core.Segments.Beyond(before.Core.Segments), &own, now, true)
		if own.Member(key).In != c.in {
			t.Errorf("%s: they are in the segment: %v", name, !c.in)
		}
	}
}
