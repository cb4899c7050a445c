// Package sentence writes conditions as sentences and reads them back.
//
// A condition is a tree; people read sentences. [Say] writes any condition as the
// predicate of a sentence about a customer, in English or German. [Parse] reads the
// English one back into the tree that it was written of, so a condition can be
// edited as a sentence and nothing is lost: for every condition, Parse(Say(tree)) asks
// the same as tree.
//
// Names and values stand in “quotes”; kinds of questions that this package does not
// know are written as JSON behind the word “asks”, so they survive too.
package sentence

import "rapport/internal/core/event"

// phrase is a piece of a sentence that stays the same.
type phrase int

// The phrases. Where one begins with another, the longer stands first: the reader
// takes the first that fits.
const (
	and phrase = iota
	or
	orElse // between events of one question
	notOpen
	atLeastOf
	of
	didNot
	inSequence
	then
	thenNot
	sinceFor
	withinAfter
	where
	theTrait
	theLast
	theTriggers
	thePrediction
	and2 // between two comparisons of one thing
	isNotInSegment
	isInSegment
	agreedTo
	by
	reachableBy
	clockBetween
	clockOn
	clockTo
	onDays
	randomShare
	called
	dwellFor
	without
	onList
	has
	message
	ofJourney
	ofCampaign
	ofService
	ofTemplate
	onChannel
	asks
	times
	inSessions
	sessionsWord
	with
	different
	addingUp
	inCurrency
	inLast
	from
	until
	firstDone
	lastDone
	doneWithin
	longerAgo
	doneBefore
	doneAfter
	isByRFM
)

// words are the phrases in English and German.
var words = map[phrase][2]string{
	and: {" and ", " und "}, or: {" or ", " oder "}, orElse: {" and/or ", " und/oder "}, notOpen: {"not (", "nicht ("}, atLeastOf: {"at least ", "mindestens "}, of: {" of (", " von ("},
	didNot: {"did not ", "nicht: "}, inSequence: {"in sequence (", "nacheinander ("}, then: {", then ", ", dann "}, thenNot: {", then did not ", ", dann nicht: "},
	sinceFor: {" since, for ", " seitdem, seit "}, withinAfter: {" within ", " binnen "}, where: {" where ", " mit "}, theTrait: {"the trait ", "das Merkmal "},
	theLast: {"the last ", "zuletzt "}, theTriggers: {"the trigger's ", "vom Auslöser "}, thePrediction: {"the prediction ", "die Vorhersage "}, and2: {" and also", " und auch"},
	isNotInSegment: {"is not in the segment ", "ist nicht im Segment "}, isInSegment: {"is in the segment ", "ist im Segment "}, agreedTo: {"agreed to ", "hat zugestimmt: "},
	by: {" by ", " per "}, reachableBy: {"can be reached by ", "ist erreichbar per "}, clockBetween: {"the clock is between ", "die Uhr zeigt zwischen "},
	clockTo: {" to ", " und "}, clockOn: {"the day is ", "der Tag ist "}, onDays: {" on ", " am "}, randomShare: {"is in the random ", "ist im Zufallsanteil "},
	called: {" called ", " namens "}, dwellFor: {"for ", "seit "}, without: {" without a break (", " ohne Unterbrechung ("}, onList: {"is on the list ", "steht auf der Liste "},
	has: {"has the object ", "hat das Objekt "}, message: {"message ", "Nachricht "}, ofJourney: {" of the journey ", " der Journey "}, ofCampaign: {" of the campaign ", " der Kampagne "},
	ofService: {" of the service ", " des Dienstes "}, ofTemplate: {" of the template ", " der Vorlage "}, onChannel: {" on the channel ", " im Kanal "}, asks: {"asks ", "fragt "},
	times: {" times", "-mal"}, inSessions: {", in ", ", in "}, sessionsWord: {" sessions", " Besuchen"}, with: {", with ", ", mit "}, different: {" different ", " verschiedenen "},
	addingUp: {" adding up to ", " zusammen "}, inCurrency: {" in the currency ", " in der Währung "}, inLast: {", in the last ", ", in den letzten "}, from: {", from ", ", von "},
	until: {" until ", " bis "}, firstDone: {", first ", ", erstmals "}, lastDone: {", last ", ", zuletzt "}, doneWithin: {"in the last ", "in den letzten "},
	longerAgo: {"longer ago than ", "länger her als "}, doneBefore: {"before ", "vor "}, doneAfter: {"after ", "nach "},
	isByRFM: {"is by RFM ", "ist nach RFM "},
}

// verbs are the events that people have a verb for: done, after “did not”, and in
// German. All others are quoted by name.
var verbs = map[string][3]string{
	event.PageViewed:      {"visited a page", "visit a page", "hat eine Seite besucht"},
	event.ProductSearched: {"searched", "search", "hat gesucht"},
	event.ListViewed:      {"viewed a list of products", "view a list of products", "hat eine Liste von Produkten angesehen"},
	event.ProductViewed:   {"viewed a product", "view a product", "hat ein Produkt angesehen"},
	event.ProductAdded:    {"put a product into the cart", "put a product into the cart", "hat ein Produkt in den Warenkorb gelegt"},
	event.ProductRemoved:  {"took a product out of the cart", "take a product out of the cart", "hat ein Produkt aus dem Warenkorb genommen"},
	event.CartViewed:      {"viewed the cart", "view the cart", "hat den Warenkorb angesehen"},
	event.CheckoutStarted: {"started a checkout", "start a checkout", "hat die Kasse begonnen"},
	event.OrderCompleted:  {"completed an order", "complete an order", "hat bestellt"},
	event.OrderRefunded:   {"had an order refunded", "have an order refunded", "hat eine Bestellung erstattet bekommen"},
	event.OrderCancelled:  {"cancelled an order", "cancel an order", "hat eine Bestellung storniert"},
}

// comparisons are the ways to compare a value, by the key of a definition. Where one
// begins with another, the longer stands first.
var comparisons = []struct{ key, en, de string }{
	{"not_in", " is none of ", " ist keins von "},
	{"in", " is one of ", " ist eins von "},
	{"exists true", " is known", " ist bekannt"},
	{"exists false", " is not known", " ist nicht bekannt"},
	{"contains", " contains ", " enthält "},
	{"starts_with", " starts with ", " beginnt mit "},
	{"ends_with", " ends with ", " endet mit "},
	{">=", " is at least ", " ist mindestens "},
	{"<=", " is at most ", " ist höchstens "},
	{">", " is more than ", " ist mehr als "},
	{"<", " is less than ", " ist weniger als "},
	{"before", " is before ", " liegt vor "},
	{"after", " is after ", " liegt nach "},
	{"within", " lies ", " liegt "},
	{"anniversary", " comes round ", " jährt sich "},
	{"is_not", " is not ", " ist nicht "},
	{"is", " is ", " ist "},
}

// bounds are the ways to compare a count or a sum.
var bounds = []struct{ op, en, de string }{
	{">=", "at least ", "mindestens "}, {"<=", "at most ", "höchstens "}, {"!=", "not exactly ", "nicht genau "}, {">", "more than ", "mehr als "}, {"<", "fewer than ", "weniger als "}, {"=", "exactly ", "genau "},
}

// units are the units of durations.
var units = []struct{ letter, en, ens, de, des string }{
	{"s", "second", "seconds", "Sekunde", "Sekunden"},
	{"m", "minute", "minutes", "Minute", "Minuten"},
	{"h", "hour", "hours", "Stunde", "Stunden"},
	{"d", "day", "days", "Tag", "Tagen"},
	{"w", "week", "weeks", "Woche", "Wochen"},
}

// days are the days of the week.
var days = []struct{ key, en, de string }{
	{"mon", "Monday", "Montag"}, {"tue", "Tuesday", "Dienstag"}, {"wed", "Wednesday", "Mittwoch"}, {"thu", "Thursday", "Donnerstag"}, {"fri", "Friday", "Freitag"}, {"sat", "Saturday", "Samstag"}, {"sun", "Sunday", "Sonntag"},
}
