package journey

import (
	"strings"

	"rapport/internal/core/condition"
	"rapport/internal/core/spec"
)

// lifeTrigger reads {lifecycle: at-risk, from: [repeat, loyal]}: customers come in when
// they come into a stage of life, out of any other or out of some. It is a segment that
// nobody named, who is in the stages, and with from a second one that is left at the
// same instant.
func (r *reader) lifeTrigger(n, v spec.Node) (t Trigger, ok bool) {
	r.known(n, "a trigger by a stage of life", "lifecycle", "from")
	t.Segment, t.Life = r.stages(v)
	if f, is := n.Get("from"); is && t.Segment != "" {
		if t.From, t.before = r.stages(f); t.From == "" {
			return t, false
		}
		for _, to := range stageWords(v) {
			for _, from := range stageWords(f) {
				if to == from {
					r.ps.Add(f.Pos, "", "nobody comes from %s to %s: it is one stage", from, to)
					return t, false
				}
			}
		}
	}
	return t, t.Segment != ""
}

// stages hides the segment of who is in some stages, and returns it with the stages in
// words.
func (r *reader) stages(v spec.Node) (segment, words string) {
	ask := spec.Node{Kind: spec.Map, Pos: v.Pos, Fields: []spec.Field{{Key: "lifecycle", Pos: v.Pos, Value: v}}}
	return condition.Hide(ask, r.env.Conditions, r.ps), strings.Join(stageWords(v), " or ")
}

func stageWords(v spec.Node) (words []string) {
	if v.Kind != spec.List {
		return []string{v.Text}
	}
	for _, item := range v.Items {
		words = append(words, item.Text)
	}
	return words
}

// hidden reports whether the trigger's segment is one that nobody named.
func (t *Trigger) hidden() bool { return t.Fence != "" || t.Life != "" }
