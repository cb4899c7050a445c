package condition

import (
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Words are what a person reads, in the languages of the pages.
type Words struct {
	EN string `json:"en"`
	DE string `json:"de"`
}

// Part is one thing that a question says: the value of a key in its map. A form
// that knows the types can show and write every question, also one that came later.
type Part struct {
	Key     string   `json:"key" doc:"In the map. Of the type compare it is empty: its choices are keys themselves. Of the type measure the key is followed by a property in brackets."`
	Label   Words    `json:"label"`
	About   Words    `json:"about,omitzero" doc:"What it is for, in a sentence."`
	Type    PartType `json:"type"`
	Many    bool     `json:"many,omitempty" doc:"Whether a list of such values may stand in its place."`
	Needed  bool     `json:"needed,omitempty" doc:"Whether the question says nothing without it."`
	Instead string   `json:"instead,omitempty" doc:"Parts with the same word here stand in each other's place: one at most, and one at least if one of them is needed."`
	From    string   `json:"from,omitempty" doc:"Where known values come from: see the operation that lists choices. Others may be written all the same. Of comparisons and filters the values come from it with “ values” behind it."`
	Of      string   `json:"of,omitempty" doc:"The key of the question whose value narrows the choices."`
	Unit    Words    `json:"unit,omitzero" doc:"Of a bound: what is counted."`
	Choices []Choice `json:"choices,omitempty" doc:"All the values that there are, or the comparisons."`
	Parts   []Part   `json:"parts,omitempty" doc:"Of a map, or of each element of a list."`
	Least   int      `json:"least,omitempty" doc:"Of a list: how many elements at least."`
	Most    int      `json:"most,omitempty" doc:"Of a list: how many elements at most."`
	Start   any      `json:"start,omitempty" doc:"A value to begin with."`
}

// Choice is one value of a closed list, or one way to compare.
type Choice struct {
	Value string   `json:"value"`
	Label Words    `json:"label"`
	Takes PartType `json:"takes,omitempty" doc:"Of a comparison: the type of what it compares with."`
}

// PartType is the type of a part's value.
type PartType string

// The types of parts.
const (
	OfText       PartType = "text"       // a name or a word
	OfChoice     PartType = "choice"     // one of Choices
	OfWhole      PartType = "whole"      // a whole number
	OfNumber     PartType = "number"     // any number
	OfValue      PartType = "value"      // a text, a number, true or false
	OfValues     PartType = "values"     // a list of those
	OfFlag       PartType = "flag"       // true or false
	OfDate       PartType = "date"       // 2026-03-01
	OfBound      PartType = "bound"      // ">= 3", "2 to 5"
	OfDuration   PartType = "duration"   // 14d
	OfDistance   PartType = "distance"   // 2km
	OfShare      PartType = "share"      // 10%
	OfClock      PartType = "clock"      // "09:00"
	OfRelative   PartType = "relative"   // in the last 30d, in the next 7d, more than 30d ago, more than 7d ahead
	OfYearly     PartType = "yearly"     // today, in 3d, in the next 7d
	OfPeriod     PartType = "period"     // [2026-11-01, 2026-11-30]
	OfCompare    PartType = "compare"    // the comparisons that stand beside the key
	OfFilter     PartType = "filter"     // {category: shoes, price: {">=": 50}}
	OfMeasure    PartType = "measure"    // sum(net): ">= 100"
	OfMap        PartType = "map"        // a map of Parts
	OfList       PartType = "list"       // a list of maps of Parts
	OfCondition  PartType = "condition"  // another condition
	OfConditions PartType = "conditions" // a list of conditions
)

var comparisonWords = map[string]Choice{
	"is":          {"is", Words{"is", "ist"}, OfValue},
	"is_not":      {"is_not", Words{"is not", "ist nicht"}, OfValue},
	"in":          {"in", Words{"is one of", "ist eins von"}, OfValues},
	"not_in":      {"not_in", Words{"is none of", "ist keins von"}, OfValues},
	"exists":      {"exists", Words{"is known", "ist bekannt"}, OfFlag},
	"contains":    {"contains", Words{"contains", "enthält"}, OfText},
	"starts_with": {"starts_with", Words{"starts with", "beginnt mit"}, OfText},
	"ends_with":   {"ends_with", Words{"ends with", "endet mit"}, OfText},
	">":           {">", Words{"is more than", "ist mehr als"}, OfNumber},
	">=":          {">=", Words{"is at least", "ist mindestens"}, OfNumber},
	"<":           {"<", Words{"is less than", "ist weniger als"}, OfNumber},
	"<=":          {"<=", Words{"is at most", "ist höchstens"}, OfNumber},
	"before":      {"before", Words{"is before", "liegt vor"}, OfDate},
	"after":       {"after", Words{"is after", "liegt nach"}, OfDate},
	"within":      {"within", Words{"lies", "liegt"}, OfRelative},
	"anniversary": {"anniversary", Words{"comes round every year", "jährt sich"}, OfYearly},
}

func comparisonsOf(keys []string) []Choice {
	list := make([]Choice, 0, len(keys))
	for _, key := range keys {
		list = append(list, comparisonWords[key])
	}
	return list
}

var dateOps = append(slices.Clone(valueOps), "within", "anniversary")

// same is a word that reads alike in every language.
func same(s string) Words { return Words{s, s} }

func withinPart() Part {
	return Part{Key: "within", Label: Words{"in the last", "in den letzten"}, Type: OfDuration, Start: "30d"}
}

func timesPart() Part {
	return Part{Key: "times", Label: Words{"how often", "wie oft"}, Type: OfBound, Unit: Words{"times", "Mal"}, Start: ">= 2"}
}

func wherePart(ops []string) Part {
	return Part{
		Key: "where", Label: Words{"where", "wobei"}, About: Words{"Only those with such properties count.", "Nur die mit solchen Eigenschaften zählen."}, Type: OfFilter, From: "properties", Of: "did", Choices: comparisonsOf(ops),
	}
}

// seenParts are what first and last take.
func seenParts() []Part {
	return []Part{
		{Key: "within", Label: Words{"in the last", "in den letzten"}, Type: OfDuration, Start: "30d", Instead: "seen", Needed: true},
		{Key: "older_than", Label: Words{"longer ago than", "länger her als"}, Type: OfDuration, Start: "30d"},
		{Key: "before", Label: Words{"before", "vor"}, Type: OfDate, Instead: "seen"},
		{Key: "after", Label: Words{"after", "nach"}, Type: OfDate, Instead: "seen"},
	}
}

// doneParts are those of did and did_not, after the names of events.
func doneParts(head string) []Part {
	list := []Part{
		{Key: head, Label: map[string]Words{"did": {"did", "tat"}, "did_not": {"did not", "tat nicht"}}[head], Type: OfText, Many: true, Needed: true, From: "events", Start: event.OrderCompleted},
		wherePart(valueOps),
		timesPart(),
		withinPart(),
		{Key: "between", Label: Words{"between", "zwischen"}, Type: OfPeriod},
		{Key: "sessions", Label: Words{"in how many visits", "in wie vielen Besuchen"}, Type: OfBound, Unit: Words{"visits", "Besuchen"}, Start: ">= 2"},
		{Key: "distinct", Label: Words{"how many different", "wie viele verschiedene"}, Type: OfMeasure, From: "properties", Of: head, Start: ">= 2"},
		{Key: "sum", Label: Words{"adding up", "zusammen"}, About: Words{"The sum of a property: net is what was paid, less what was returned.", "Die Summe einer Eigenschaft: net ist das Bezahlte, abzüglich Retouren."}, Type: OfMeasure, From: "properties", Of: head, Start: ">= 100"},
		{Key: "first", Label: Words{"the first time", "das erste Mal"}, Type: OfMap, Parts: seenParts()},
		{Key: "last", Label: Words{"the last time", "das letzte Mal"}, Type: OfMap, Parts: seenParts()},
	}
	for i := range list {
		if list[i].Of != "" {
			list[i].Of = head
		}
	}
	return list
}

// compared are the comparisons beside a key, with values that were seen of it.
func compared(key string, ops []string) Part {
	return Part{Label: Words{"which", "das"}, Type: OfCompare, From: key, Of: key, Needed: true, Choices: comparisonsOf(ops), Start: map[string]any{"exists": true}}
}

// partsOf are what the questions of each kind say. The first is the key of the kind.
var partsOf = map[string]func() []Part{
	"did":     func() []Part { return doneParts("did") },
	"did_not": func() []Part { return doneParts("did_not") },
	"sequence": func() []Part {
		return []Part{
			{
				Key: "sequence", Label: Words{"one after another", "nacheinander"}, Type: OfList, Needed: true, Least: minSteps, Most: mostSteps,
				Start: []any{map[string]any{"did": event.ProductAdded}, map[string]any{"did_not": event.OrderCompleted, "for": "1h"}},
				Parts: []Part{
					{Key: "did", Label: Words{"did", "tat"}, Type: OfText, Many: true, Needed: true, Instead: "done", From: "events", Start: event.OrderCompleted},
					{Key: "did_not", Label: Words{"did not", "tat nicht"}, About: Words{"As the last step only.", "Nur als letzter Schritt."}, Type: OfText, Many: true, Instead: "done", From: "events", Start: event.OrderCompleted},
					wherePart(valueOps),
					{Key: "within", Label: Words{"within", "binnen"}, About: Words{"How long after the step before it at most.", "Wie lange höchstens nach dem Schritt davor."}, Type: OfDuration, Instead: "after", Start: "2h"},
					{Key: "for", Label: Words{"so far, for", "bisher, seit"}, About: Words{"How long it has not been done by now.", "Wie lange es bis jetzt nicht getan wurde."}, Type: OfDuration, Instead: "after", Start: "1h"},
				},
			},
			withinPart(),
		}
	},
	"dwell": func() []Part {
		return []Part{
			{Key: "dwell", Label: Words{"without a break for", "ohne Unterbrechung seit"}, Type: OfDuration, Needed: true, Start: "3d"},
			{Key: "when", Label: Words{"it is so that", "gilt, dass"}, Type: OfCondition, Needed: true},
		}
	},
	"trait": func() []Part {
		return []Part{{Key: "trait", Label: Words{"the trait", "das Merkmal"}, Type: OfText, Needed: true, From: "traits"}, compared("trait", dateOps)}
	},
	"segment": func() []Part {
		return []Part{{Key: "segment", Label: Words{"is in the segment", "ist im Segment"}, Type: OfText, Needed: true, From: "segments"}}
	},
	"not_in_segment": func() []Part {
		return []Part{{Key: "not_in_segment", Label: Words{"is not in the segment", "ist nicht im Segment"}, Type: OfText, Needed: true, From: "segments"}}
	},
	"list": func() []Part {
		return []Part{{Key: "list", Label: Words{"is on the list", "steht auf der Liste"}, Type: OfText, Needed: true, From: "lists"}}
	},
	"object": func() []Part {
		where := wherePart(dateOps)
		where.From, where.Of = "object properties", "object"
		return []Part{{Key: "object", Label: Words{"has the thing", "hat das Ding"}, Type: OfText, Needed: true, From: "objects"}, where, timesPart()}
	},
	"prediction": func() []Part {
		return []Part{{Key: "prediction", Label: Words{"the prediction", "die Vorhersage"}, Type: OfText, Needed: true, From: "predictions"}, compared("prediction", append(slices.Clone(valueOps), "within"))}
	},
	"score": func() []Part {
		return []Part{
			{Key: "score", Label: Words{"the score", "der Punktestand"}, Type: OfText, Needed: true, From: "scores"},
			{Key: "is", Label: Words{"is", "ist"}, Type: OfBound, Needed: true, Unit: Words{"points", "Punkte"}, Start: ">= 50"},
		}
	},
	"tier": func() []Part {
		return []Part{
			{Key: "tier", Label: Words{"of the score", "beim Punktestand"}, Type: OfText, Needed: true, From: "tiered scores"},
			{Key: "from", Label: Words{"in this tier or above", "in dieser Stufe oder darüber"}, Type: OfText, Needed: true, Instead: "tier", From: "tiers", Of: "tier"},
			{Key: "is", Label: Words{"in the tier", "in der Stufe"}, Type: OfText, Instead: "tier", From: "tiers", Of: "tier"},
			{Key: "in", Label: Words{"in one of the tiers", "in einer der Stufen"}, Type: OfValues, Instead: "tier", From: "tiers", Of: "tier"},
		}
	},
	"affinity": func() []Part {
		return []Part{{Key: "affinity", Label: Words{"likes", "mag"}, Type: OfMap, Needed: true, Parts: []Part{
			{Key: "by", Label: Words{"the", "bei"}, Type: OfText, Needed: true, From: "tastes", Start: "category"},
			{Key: "of", Label: same("="), Type: OfText, Needed: true, From: "taste", Of: "by"},
			{Key: "is", Label: Words{"with a share of", "mit einem Anteil von"}, Type: OfBound, Needed: true, Unit: Words{"of all interest", "des Interesses"}, Start: ">= 30%"},
			{Key: "weight", Label: Words{"and a weight of", "und einem Gewicht von"}, About: Words{"How much interest there must be in all, so that one look is no taste.", "Wie viel Interesse es insgesamt sein muss, damit ein Blick kein Geschmack ist."}, Type: OfBound, Unit: Words{"points", "Punkte"}, Start: ">= 3"},
		}}}
	},
	"lifecycle": func() []Part {
		return []Part{{Key: "lifecycle", Label: Words{"is at the stage", "ist in der Phase"}, Type: OfChoice, Many: true, Needed: true, Start: "loyal", Choices: stageChoices()}}
	},
	"rfm": func() []Part {
		return []Part{{Key: "rfm", Label: Words{"is by RFM", "ist nach RFM"}, Type: OfChoice, Many: true, Needed: true, Start: "champion", Choices: rfmChoices()}}
	},
	"context": func() []Part {
		return []Part{
			{Key: "context", Label: Words{"the last", "zuletzt"}, Type: OfChoice, Needed: true, Start: contextPaths[0], Choices: []Choice{
				{Value: "device.type", Label: Words{"device", "Gerät"}}, {Value: "locale", Label: Words{"language", "Sprache"}}, {Value: "timezone", Label: Words{"time zone", "Zeitzone"}},
			}},
			compared("context", []string{"is", "is_not", "in", "not_in", "exists", "contains", "starts_with", "ends_with"}),
		}
	},
	"near": func() []Part {
		return []Part{{Key: "near", Label: Words{"was last", "war zuletzt"}, Type: OfMap, Needed: true, Parts: []Part{
			{Key: "store", Label: Words{"from the store", "vom Laden"}, Type: OfText, Needed: true, Instead: "place", From: "stores or any", Start: "any"},
			{Key: "lat", Label: Words{"from the latitude", "von der Breite"}, Type: OfNumber},
			{Key: "lon", Label: Words{"and the longitude", "und der Länge"}, Type: OfNumber},
			{Key: "within", Label: Words{"at most", "höchstens"}, Type: OfDistance, Start: "2km", Needed: true, Instead: "how far"},
			{Key: "beyond", Label: Words{"at least", "mindestens"}, Type: OfDistance, Start: "2km"},
			{Key: "open", Label: Words{"which is open now", "der jetzt offen ist"}, Type: OfFlag, Start: true},
			{Key: "seen_within", Label: Words{"as seen in the last", "gesehen in den letzten"}, Type: OfDuration, Start: "24h"},
		}}}
	},
	"fence": func() []Part {
		return []Part{
			{Key: "fence", Label: Words{"is in the fence", "ist im Zaun"}, Type: OfText, Needed: true, From: "fences"},
			{Key: "entered", Label: Words{"entered in the last", "betreten in den letzten"}, Type: OfDuration, Instead: "when", Start: "2h"},
			{Key: "seen_within", Label: Words{"as seen in the last", "gesehen in den letzten"}, Type: OfDuration, Instead: "when", Start: "24h"},
		}
	},
	"store": func() []Part {
		return []Part{{Key: "store", Label: Words{"was in the store", "war im Laden"}, Type: OfText, Many: true, Needed: true, From: "stores or any", Start: "any"}, withinPart()}
	},
	"city":    func() []Part { return town("city", Words{"was last in the city", "war zuletzt in der Stadt"}) },
	"region":  func() []Part { return town("region", Words{"was last in the region", "war zuletzt in der Region"}) },
	"country": func() []Part { return town("country", Words{"was last in the country", "war zuletzt im Land"}) },
	"random": func() []Part {
		return []Part{{Key: "random", Label: Words{"is in a random", "ist im zufälligen Anteil"}, Type: OfMap, Needed: true, Parts: []Part{
			{Key: "share", Label: Words{"share of", "von"}, Type: OfShare, Needed: true, Start: "10%"},
			{Key: "name", Label: Words{"called", "namens"}, About: Words{"Two draws with one name pick the same customers.", "Zwei Ziehungen mit einem Namen wählen dieselben Kunden."}, Type: OfText, Needed: true, Start: "pilot"},
		}}}
	},
	"message": func() []Part {
		of := func(key string, label Words, from, instead string) Part {
			return Part{Key: key, Label: label, Type: OfText, From: from, Instead: instead}
		}
		return []Part{
			{Key: "message", Label: Words{"message", "Nachricht"}, Type: OfChoice, Needed: true, Start: "clicked", Choices: behaviourChoices()},
			of("journey", Words{"of the journey", "der Journey"}, "journeys", "whose"),
			of("campaign", Words{"of the campaign", "der Kampagne"}, "campaigns", "whose"),
			of("service", Words{"of the service", "des Dienstes"}, "services", "whose"),
			of("template", Words{"of the template", "der Vorlage"}, "templates", ""),
			of("channel", Words{"on the channel", "im Kanal"}, "channels", ""),
			timesPart(),
			withinPart(),
		}
	},
	"consent": func() []Part {
		return []Part{
			{Key: "consent", Label: Words{"agreed to", "hat zugestimmt:"}, Type: OfText, Needed: true, From: "purposes", Start: "marketing"},
			{Key: "channel", Label: Words{"by", "per"}, Type: OfText, Needed: true, From: "channels", Start: "email"},
		}
	},
	"reachable": func() []Part {
		return []Part{{Key: "reachable", Label: Words{"can be reached by", "ist erreichbar per"}, Type: OfText, Needed: true, From: "channels", Start: "email"}}
	},
	"local_time": func() []Part { return []Part{clockPart(true), dayPart(false)} },
	"weekday":    func() []Part { return []Part{dayPart(true), clockPart(false)} },
	"property": func() []Part {
		return []Part{{Key: "property", Label: Words{"the trigger’s", "vom Auslöser"}, Type: OfText, Needed: true, From: "properties"}, compared("property", valueOps)}
	},
	"all": func() []Part { return group("all", Words{"all of these", "alles davon"}) },
	"any": func() []Part { return group("any", Words{"at least one of these", "mindestens eins davon"}) },
	"not": func() []Part {
		return []Part{{Key: "not", Label: Words{"it is not so that", "es gilt nicht, dass"}, Type: OfCondition, Needed: true}}
	},
	"at_least": func() []Part {
		return []Part{
			{Key: "at_least", Label: Words{"at least", "mindestens"}, Type: OfWhole, Needed: true, Start: 1},
			{Key: "of", Label: Words{"of these", "davon"}, Type: OfConditions, Needed: true, Least: 1, Most: maxChildren},
		}
	},
}

func group(key string, label Words) []Part {
	return []Part{{Key: key, Label: label, Type: OfConditions, Needed: true, Least: 1, Most: maxChildren}}
}

func town(key string, label Words) []Part {
	return []Part{{Key: key, Label: label, Type: OfText, Many: true, Needed: true, From: key}}
}

func clockPart(needed bool) Part {
	return Part{Key: "local_time", Label: Words{"their clock shows", "die Uhr bei ihnen zeigt"}, Type: OfMap, Needed: needed, Parts: []Part{
		{Key: "from", Label: Words{"from", "von"}, Type: OfClock, Needed: true, Start: "09:00"},
		{Key: "to", Label: Words{"to", "bis"}, Type: OfClock, Needed: true, Start: "18:00"},
	}}
}

func dayPart(needed bool) Part {
	names := []Choice{
		{Value: "mon", Label: Words{"Monday", "Montag"}},
		{Value: "tue", Label: Words{"Tuesday", "Dienstag"}},
		{Value: "wed", Label: Words{"Wednesday", "Mittwoch"}},
		{Value: "thu", Label: Words{"Thursday", "Donnerstag"}},
		{Value: "fri", Label: Words{"Friday", "Freitag"}},
		{Value: "sat", Label: Words{"Saturday", "Samstag"}},
		{Value: "sun", Label: Words{"Sunday", "Sonntag"}},
	}
	return Part{Key: "weekday", Label: Words{"the day is", "der Tag ist"}, Type: OfChoice, Many: true, Needed: needed, Start: []any{"sat", "sun"}, Choices: names}
}

var stageWords = map[string]Words{
	"anonymous": {"anonymous", "anonym"}, "prospect": {"prospect", "Interessent"}, "considering": {"considering", "überlegt"}, "first": {"first order", "erste Bestellung"},
	"repeat": {"repeat", "wiederholt"}, "loyal": {"loyal", "treu"}, "advocate": {"advocate", "empfiehlt"}, "at-risk": {"at risk", "gefährdet"}, "lapsed": {"lapsed", "verloren"}, "back": {"back again", "wieder da"},
}

func stageChoices() []Choice {
	list := []Choice{}
	for _, name := range strings.Split(profile.StageNames(), ", ") {
		list = append(list, Choice{Value: name, Label: stageWords[name]})
	}
	return list
}

var rfmWords = map[string]Words{
	"champion": {"champion", "Champion"}, "loyal": {"loyal", "treu"}, "promising": {"promising", "vielversprechend"}, "newcomer": {"newcomer", "Neuling"},
	"slipping": {"slipping away", "am Entgleiten"}, "inactive": {"inactive", "inaktiv"},
}

func rfmChoices() []Choice {
	list := []Choice{}
	for _, name := range RFMPersonas {
		list = append(list, Choice{Value: name, Label: rfmWords[name]})
	}
	return list
}

var behaviourWords = map[string]Words{
	"received": {"received", "erhalten"}, "delivered": {"delivered", "zugestellt"}, "opened": {"opened", "geöffnet"}, "clicked": {"clicked", "geklickt"},
	"replied": {"replied to", "beantwortet"}, "bounced": {"bounced", "unzustellbar"}, "complained": {"complained about", "als Spam gemeldet"}, "unsubscribed": {"unsubscribed from", "abgemeldet"},
}

func behaviourChoices() []Choice {
	list := []Choice{}
	for i := range behaviours {
		list = append(list, Choice{Value: behaviours[i].word, Label: behaviourWords[behaviours[i].word]})
	}
	return list
}
