package profile

// What one of each takes in memory, in bytes, without its texts.
const (
	weightProfile   = 896
	weightHeld      = 48
	weightTrait     = 64
	weightConsent   = 128
	weightHealth    = 80
	weightOrder     = 96
	weightBought    = 112
	weightSeries    = 96
	weightObs       = 24
	weightMember    = 32
	weightInstance  = 256
	weightPast      = 64
	weightDelivery  = 320
	weightContact   = 64
	weightPredicted = 120
	weightScore     = 112
	weightTaste     = 104
	weightLiking    = 40
	weightBlock     = 24
	weightAhead     = 32
	weightListing   = 40
	weightObject    = 72
	weightTally     = 40
	weightFound     = 40
	weightMark      = 40
	weightGlance    = 32
	weightHandOver  = 48
	weightVisit     = 32
)

// Weight returns about how many bytes p takes in memory beside its texts, which
// are about as long as its row. It is what a cache counts by: lists have room to
// grow, so a decoded profile is several times its row.
func (p *Profile) Weight() int {
	n := weightProfile + 16*cap(p.Strands) + weightHeld*cap(p.Held) + weightTrait*cap(p.Traits) + weightConsent*cap(p.Consents) +
		weightHealth*cap(p.Health) + weightOrder*cap(p.Orders) + weightBought*cap(p.Bought) + weightMember*cap(p.Segments) +
		weightInstance*cap(p.Journeys) + weightPast*cap(p.Past) + weightDelivery*cap(p.Open) + weightContact*cap(p.Contacts) + weightPredicted*cap(p.Predictions) + 8*(cap(p.Seen)+cap(p.Series)+cap(p.Untils)) +
		weightGlance*(cap(p.Glances)+cap(p.Looks)) + weightHandOver*cap(p.HandOvers) + weightVisit*cap(p.Visits)
	for _, s := range p.Series {
		n += weightSeries + weightObs*cap(s.Obs)
	}
	for _, s := range p.Scores {
		n += weightScore + weightBlock*cap(s.Sum) + weightAhead*cap(s.Ahead) + weightMark*cap(s.Marks)
	}
	for _, t := range p.Tastes {
		n += weightTaste + weightBlock*cap(t.Total) + weightAhead*cap(t.Ahead) + weightLiking*cap(t.Of)
		for i := range t.Of {
			n += weightBlock * cap(t.Of[i].Sum)
		}
	}
	n += weightListing*cap(p.Lists) + weightObject*cap(p.Objects) + 8*cap(p.Tallies)
	for i := range p.Objects {
		n += len(p.Objects[i].Props)
	}
	for _, t := range p.Tallies {
		n += weightTally + weightFound*cap(t.Marks)
	}
	for i := range p.Journeys {
		n += len(p.Journeys[i].Props)
	}
	return n
}
