package admin

import (
	"strconv"
	"strings"

	"rapport/internal/admin/page"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/program"
)

// shownLikes bounds the interests that a page names: beyond them shares are small.
const shownLikes = 3

// scores returns what scores and affinities say of the customer now. Which events
// made them, rapport score and the API tell.
func scores(pr *program.Program, p *profile.Profile, now event.Time) (facts []page.Fact) {
	c := pr.At(p, now)
	for _, s := range pr.Scores.All() {
		l := s.Level(c)
		f := page.Fact{Label: s.Label, Value: strconv.FormatFloat(l.Float(), 'f', 1, 64), Note: s.Tier(l)}
		facts = append(facts, f)
	}
	for _, name := range pr.Scores.Affinities() {
		var likes []string
		for _, l := range pr.Scores.Likings(p, name, now) {
			if len(likes) == shownLikes {
				break
			}
			likes = append(likes, clip(l.Name, maxValue)+" "+strconv.FormatFloat(100*l.Share, 'f', 0, 64)+" %")
		}
		if likes != nil {
			facts = append(facts, page.Fact{Label: "Interest by " + strings.ReplaceAll(name, "_", " "), Value: strings.Join(likes, ", ")})
		}
	}
	return facts
}
