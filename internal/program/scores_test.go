package program_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/program"
)

func TestAMessageShowsScoresTiersAndLikesAsTheyAreWhenItLeaves(t *testing.T) {
	t.Parallel()
	src := shop(t).Source
	files := slices.DeleteFunc(slices.Clone(src.Files()), func(f program.File) bool { return strings.HasPrefix(f.Path, "templates/lighting-reminder.") })
	files = append(files,
		program.File{Path: "templates/lighting-reminder.html.liquid", Body: "---\nsubject: \"{{ customer.scores.engagement }} {{ customer.tiers.engagement }}\"\nlayout: default\n---\n<p>{{ customer.likes.category[0] }}</p>"},
		program.File{Path: "templates/lighting-reminder.txt.liquid", Body: "You like {{ customer.likes.category | join: ', ' }}"})
	changed, err := program.New(files)
	if err != nil {
		t.Fatal(err)
	}
	p, problems := program.Compile(changed, program.Options{Workspace: "test"})
	if p == nil {
		t.Fatal(problems)
	}
	who := reader("Ada", true)
	for i, category := range []string{"lighting", "kitchen", "lighting"} {
		var b event.Builder
		b.SetText("category", category)
		e := event.Event{ID: event.ID(rune('a' + i)), Type: event.Track, Name: event.ProductAdded, At: noon, Props: b.Object()}
		who.Session = condition.Visit(who.Session, &e)
		p.Core.Series.Fold(who, &e, nil, noon)
	}
	for _, tt := range []struct {
		later   time.Duration
		subject string
	}{{0, "9 curious"}, {15 * 24 * time.Hour, "6.36 curious"}} {
		m, err := p.Render(delivery("lighting-reminder", looked("Lamp")), who, noon.Add(tt.later), signer(t))
		if err != nil {
			t.Fatal(err)
		}
		if m.Subject != tt.subject || !strings.Contains(m.HTML, "<p>lighting</p>") || !strings.Contains(m.Text, "You like lighting, kitchen") {
			t.Errorf("after %s: %q, %s", tt.later, m.Subject, m.Text)
		}
	}
}
