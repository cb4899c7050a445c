package insight_test

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/core/condition"
	"rapport/internal/core/condition/sentence"
	"rapport/internal/core/identity"
	"rapport/internal/core/spec"
)

// Whatever is asked, its sentence asks the same.
func TestASentenceIsReadBackAsTheSameQuestion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := drawLife(t, everything)
		traits := drawMade(t)
		var refs []ref
		for i := range 3 {
			refs = append(refs, ref{name: "s" + strconv.Itoa(i)})
		}
		tree := parseJSON(t, drawAsk(t, everything, l, identity.ID{1}, refs, traits, 4).text())
		canonical := func(n spec.Node) string {
			env := &condition.Env{Set: condition.NewSet(), Currency: "GBP", Zones: zones, Lists: []string{"press"}, Segments: []string{"s0", "s1", "s2"}}
			var ps spec.Problems
			var sources []condition.TraitSource
			for _, m := range traits {
				sources = append(sources, condition.TraitSource{Name: m.name, Node: parseJSON(t, m.text())})
			}
			condition.ParseTraits(sources, env, &ps)
			q := condition.Parse(n, env, &ps)
			if q == nil {
				t.Fatalf("%v", ps.All())
			}
			return q.Canonical()
		}
		said := sentence.Say(tree, sentence.English)
		back, err := sentence.Parse(said)
		if err != nil {
			t.Fatalf("%s\n%v", said, err)
		}
		if got, want := canonical(back), canonical(tree); got != want {
			t.Fatalf("%s\nis read back as %s\nasks %s, not %s", said, sentence.Say(back, sentence.English), got, want)
		}
		if again := sentence.Say(back, sentence.English); again != said {
			t.Fatalf("said %s\nthen %s", said, again)
		}
	})
}
