package journey

import (
	"slices"

	"rapport/internal/core/condition"
)

// Words are a text for people in the languages that pages speak.
type Words = condition.Words

// Shape describes one kind of trigger or step, or the journey itself, for whoever
// shows a form to write it with. The parser takes the fields that stand here and no
// others, so a kind that is not described cannot be written.
type Shape struct {
	Key   string // the key that makes it: event, send
	Label Words  // what a person calls it
	About Words  // what it does, in a sentence
	// Says is a sentence about one of the kind; {field} stands for the field's value.
	Says   Words
	Fields []Field
	// Ways are several ways to write it, of which exactly one is used: the way whose
	// key is there. Empty: there is one way, by Fields.
	Ways []Shape
	// Short is the field that a bare value stands for: `wait: 3d`. Empty: none.
	Short string
	// Forks are where customers go on. A branch may have a label of its own, such
	// as a condition.
	Forks   []Fork
	Example string // in YAML
}

// FieldType says what a field holds and how a form asks for it.
type FieldType string

// The types of fields.
const (
	TextField      FieldType = "text"
	LongField      FieldType = "long"       // a text of several lines
	LengthField    FieldType = "length"     // a length of time: "3d"
	OffsetField    FieldType = "offset"     // before (negative) or after: "-3d"
	ClockField     FieldType = "clock"      // a time of day: "09:00"
	DateField      FieldType = "date"       // 2026-03-02
	ShareField     FieldType = "share"      // "10%"
	NumberField    FieldType = "number"     // a whole number
	TruthField     FieldType = "truth"      // yes or no
	ChoiceField    FieldType = "choice"     // one of Options
	ChoicesField   FieldType = "choices"    // some of Options
	ConditionField FieldType = "condition"  // a question about the customer
	FilterField    FieldType = "filter"     // properties of an event and their values
	EventsField    FieldType = "events"     // the name of an event, or several
	SegmentField   FieldType = "segment"    // the name of a segment
	TemplateField  FieldType = "template"   // the name of a template
	ChannelField   FieldType = "channel"    // by which channel
	PurposeField   FieldType = "purpose"    // what customers can agree to
	PathField      FieldType = "path"       // where a value stands: trigger.sku, trait.city
	TraitField     FieldType = "trait"      // the name of a trait
	FenceField     FieldType = "fence"      // the name of an area on the map
	ZoneField      FieldType = "zone"       // a time zone
	ScheduleField  FieldType = "schedule"   // every monday 09:00
	SentencesField FieldType = "sentences"  // texts with placeholders, the first that can be filled in counts
	ValuesField    FieldType = "values"     // names with a value each
	SharesField    FieldType = "shares"     // names with a percentage each, together 100
	ReentryField   FieldType = "reentry"    // one of Options, or {after: 30d}
	ListField      FieldType = "list"       // things of Items
	ExpiryField    FieldType = "length_or"  // a length of time, or one of Options
	OccasionField  FieldType = "occurrence" // an event or a condition: what is waited for
)

// Field describes one field.
type Field struct {
	Name     string
	Label    Words
	About    Words
	Type     FieldType
	Required bool
	Default  string // what holds if it is left out, in words; empty: nothing does
	Options  []Option
	Items    []Field // of a list
	Often    bool    // a form shows it at once, though it may be left out
	edge     bool    // it names a step: a branch, and no field of a form
}

// Option is one of a few values.
type Option struct {
	Value string `json:"value"`
	Label Words  `json:"label"`
}

// Fork says where a definition writes to which step customers go on.
type Fork struct {
	// At is the place: "next" and "otherwise" beside the kind's key, others below it
	// with points. In a list or a map it is the place within each of its items.
	At string
	// Each is the list, or the map, whose items are a branch each; empty: there is one.
	Each string
	// Keyed says that At is a map from the keys of Each to steps.
	Keyed bool
	Label Words // when it is taken; empty: always
	// Optional says that there is no such branch while it is not written.
	Optional bool
	// Needs is a field without which there is no such branch: nobody waits longer
	// than a timeout that is not there. One of several is enough.
	Needs []string
	// Falls lists the places that say where it leads if At does not: the first that
	// is written counts; none: the step below.
	Falls []string
}

func w(english, german string) Words { return Words{EN: english, DE: german} }

func opt(value, english, german string) Option { return Option{value, Words{EN: english, DE: german}} }

// Shapes of the triggers, in the order in which a form shows them.
var triggerShapes = []Shape{
	{
		Key: "event", Label: w("Something happens", "Etwas geschieht"),
		About: w("Customers come in when they do something: each time, in the moment it is heard.", "Kundinnen kommen hinein, wenn sie etwas tun: jedes Mal, sobald es gehört wird."),
		Says:  w("when {event} happens", "wenn {event} geschieht"),
		Fields: []Field{
			{Name: "event", Type: EventsField, Required: true, Label: w("Event", "Ereignis"), About: w("The name of the event, as it is sent.", "Der Name des Ereignisses, wie es gesendet wird.")},
			{Name: "where", Type: FilterField, Often: true, Label: w("Only if", "Nur wenn"), About: w("Properties of the event and their values.", "Eigenschaften des Ereignisses und ihre Werte.")},
			{Name: "key", Type: TextField, Label: w("One run for each", "Ein Durchlauf je"), About: w("A property such as order_id: a customer may be inside once for each of its values.", "Eine Eigenschaft wie order_id: Man kann je Wert einmal darin sein."), Default: "one run for a customer"},
		},
		Example: "{event: Order Completed, key: order_id}",
	},
	{
		Key: "segment", Label: w("Enters or leaves a segment", "Kommt in ein Segment oder verlässt es"),
		About: w("Customers come in when they become part of a segment, or stop being part of it.", "Kundinnen kommen hinein, wenn sie in ein Segment kommen oder es verlassen."),
		Says:  w("on {on} of {segment}", "bei {on} von {segment}"),
		Fields: []Field{
			{Name: "segment", Type: SegmentField, Required: true, Label: w("Segment", "Segment"), About: w("Who is in it already does not come in.", "Wer schon darin ist, kommt nicht hinein.")},
			{Name: "on", Type: ChoiceField, Often: true, Default: "enter", Label: w("When they", "Wenn sie"), About: w("Coming or going.", "Kommen oder Gehen."), Options: []Option{opt("enter", "come into it", "hineinkommen"), opt("leave", "leave it", "es verlassen")}},
		},
		Example: "{segment: vip, on: enter}",
	},
	{
		Key: "date", Label: w("A date of theirs", "Ein Datum der Person"),
		About: w("Customers come in on a date that is known of them, or some days before or after it.", "Kundinnen kommen an einem Datum hinein, das von ihnen bekannt ist, oder Tage davor oder danach."),
		Says:  w("on {date}, {offset}", "am {date}, {offset}"),
		Fields: []Field{
			{Name: "date", Type: TraitField, Required: true, Label: w("Trait with the date", "Merkmal mit dem Datum"), About: w("Such as birthday.", "Zum Beispiel birthday.")},
			{Name: "offset", Type: OffsetField, Often: true, Label: w("Days before or after", "Tage davor oder danach"), About: w("-3d is three days before.", "-3d ist drei Tage davor."), Default: "on the day"},
			{Name: "at", Type: ClockField, Often: true, Label: w("Time of day", "Uhrzeit"), About: w("On the customer's own clock.", "Nach der Uhr der Person."), Default: "09:00"},
			{Name: "repeat", Type: ChoiceField, Default: "yearly", Label: w("How often", "Wie oft"), About: w("Every year, or only in the year of the date.", "Jedes Jahr, oder nur im Jahr des Datums."), Options: []Option{opt("yearly", "every year", "jedes Jahr"), opt("never", "once", "einmal")}},
		},
		Example: "{date: birthday, at: \"09:00\"}",
	},
	{
		Key: "schedule", Label: w("A schedule", "Ein Zeitplan"),
		About: w("Everybody of the audience comes in at the times of a schedule.", "Alle aus der Zielgruppe kommen zu den Zeiten eines Plans hinein."),
		Says:  w("{schedule}", "{schedule}"),
		Fields: []Field{
			{Name: "schedule", Type: ScheduleField, Required: true, Label: w("When", "Wann"), About: w("Such as “every monday 09:00”, “every month on the 1st at 09:00” or “on 2026-12-01 09:00”.", "Zum Beispiel „every monday 09:00“, „every month on the 1st at 09:00“ oder „on 2026-12-01 09:00“.")},
			{Name: "zone", Type: ZoneField, Label: w("Time zone", "Zeitzone"), About: w("Such as Europe/London.", "Zum Beispiel Europe/Berlin."), Default: "each customer's own"},
			{Name: "start", Type: DateField, Label: w("Counted from", "Gezählt ab"), About: w("The day from which every second week, say, is counted.", "Der Tag, ab dem etwa jede zweite Woche gezählt wird.")},
		},
		Example: "{schedule: every monday 09:00}",
	},
	{
		Key: "catalogue", Label: w("The catalogue changes", "Der Katalog ändert sich"),
		About: w("Customers come in when something that they were interested in gets cheaper, comes back or runs low.", "Kundinnen kommen hinein, wenn etwas, das sie interessierte, billiger wird, wieder da ist oder knapp wird."),
		Says:  w("on {catalogue}", "bei {catalogue}"),
		Fields: []Field{
			{Name: "catalogue", Type: ChoicesField, Required: true, Label: w("What changes", "Was sich ändert"), About: w("One run for each product.", "Ein Durchlauf je Artikel."), Options: []Option{opt("price_drop", "the price drops", "der Preis sinkt"), opt("back_in_stock", "it is back in stock", "es ist wieder da"), opt("low_stock", "few are left", "wenige sind noch da")}},
			{Name: "interest", Type: ChoicesField, Often: true, Label: w("Who had", "Wer es"), About: w("On what ground they are told.", "Aus welchem Grund man es ihnen sagt."), Default: "any interest", Options: []Option{opt("viewed", "looked at it", "ansah"), opt("carted", "put it in the cart", "in den Warenkorb legte"), opt("wished", "wished for it", "sich wünschte"), opt("bought", "bought it", "kaufte")}},
			{Name: "drop", Type: ShareField, Often: true, Label: w("By at least", "Um mindestens"), About: w("How far the price must drop.", "Wie weit der Preis sinken muss.")},
			{Name: "where", Type: FilterField, Often: true, Label: w("Only if", "Nur wenn"), About: w("Properties of the change and their values.", "Eigenschaften der Änderung und ihre Werte.")},
		},
		Example: "{catalogue: price_drop, interest: [carted, wished], drop: 10%}",
	},
	{
		Key: "fence", Label: w("Comes to a place", "Kommt an einen Ort"),
		About: w("Customers come in when they are heard of in an area on the map, or leave it.", "Kundinnen kommen hinein, wenn man sie in einem Gebiet der Karte hört oder sie es verlassen."),
		Says:  w("on {on} of the fence {fence}", "bei {on} des Gebiets {fence}"),
		Fields: []Field{
			{Name: "fence", Type: FenceField, Required: true, Label: w("Fence", "Gebiet"), About: w("An area of the folder fences.", "Ein Gebiet aus dem Ordner fences.")},
			{Name: "on", Type: ChoiceField, Often: true, Default: "enter", Label: w("When they", "Wenn sie"), About: w("Coming or going.", "Kommen oder Gehen."), Options: []Option{opt("enter", "come into it", "hineinkommen"), opt("leave", "leave it", "es verlassen")}},
			{Name: "seen_within", Type: LengthField, Label: w("Seen within", "Gesehen innerhalb"), About: w("How old the last word of where they are may be.", "Wie alt die letzte Nachricht über ihren Ort sein darf.")},
		},
		Example: "{fence: soho, on: enter}",
	},
}

// next is the one way on of most steps.
var next = Fork{At: "next"}

// stepShapes are the shapes of the steps, in the order in which a palette shows them.
var stepShapes = []Shape{
	{
		Key: string(Send), Label: w("Send a message", "Nachricht senden"),
		About: w("Wishes to say something. Consent, caps and quiet hours decide whether and when it leaves.", "Möchte etwas sagen. Einwilligung, Obergrenzen und Ruhezeiten entscheiden, ob und wann es hinausgeht."),
		Says:  w("Send {template} by {channel}", "{template} per {channel} senden"),
		Fields: []Field{
			{Name: "template", Type: TemplateField, Required: true, Label: w("Template", "Vorlage"), About: w("What is said.", "Was gesagt wird.")},
			{Name: "reason", Type: SentencesField, Often: true, Label: w("Why they get it", "Warum sie es bekommen"), About: w("A sentence about this person, such as “You looked at {trigger.name}”. Of several the first that can be filled in counts. A promotion needs one.", "Ein Satz über diese Person, etwa „Sie haben {trigger.name} angesehen“. Von mehreren zählt der erste, der sich füllen lässt. Werbung braucht einen.")},
			{Name: "channel", Type: ChannelField, Often: true, Default: "email", Label: w("Channel", "Kanal"), About: w("By which it goes out.", "Worüber es hinausgeht.")},
			{Name: "class", Type: ChoiceField, Default: "marketing", Label: w("Kind of message", "Art der Nachricht"), About: w("What the shop owes needs no consent to be sold to.", "Was der Laden schuldet, braucht keine Werbe-Einwilligung."), Options: []Option{opt("marketing", "marketing", "Werbung"), opt("service", "service", "Service")}},
			{Name: "purpose", Type: PurposeField, Default: "marketing", Label: w("Purpose", "Zweck"), About: w("What they must have agreed to.", "Wozu sie zugestimmt haben müssen.")},
			{Name: "product", Type: PathField, Label: w("About the product", "Über den Artikel"), About: w("Where its SKU stands, such as trigger.sku; or replenishment. Who bought it meanwhile gets no reminder.", "Wo seine SKU steht, etwa trigger.sku; oder replenishment. Wer ihn inzwischen kaufte, bekommt keine Erinnerung.")},
			{Name: "category", Type: PathField, Label: w("About the category", "Über die Kategorie"), About: w("Where it stands, or its name.", "Wo sie steht, oder ihr Name.")},
			{Name: "delay", Type: LengthField, Label: w("Leaves after", "Geht hinaus nach"), About: w("It is planned at once and leaves that much later.", "Sie wird sofort geplant und geht um so viel später hinaus."), Default: "at once"},
			{Name: "expires", Type: ExpiryField, Label: w("Worth sending for", "Sinnvoll für"), About: w("After that it is given up.", "Danach wird sie aufgegeben."), Default: "3d; a service message: for ever", Options: []Option{opt("never", "for ever", "für immer")}},
			{Name: "priority", Type: NumberField, Label: w("Priority", "Vorrang"), About: w("The lesser goes first.", "Die kleinere Zahl geht vor."), Default: "0"},
			{Name: "max_lateness", Type: LengthField, Label: w("Heard no later than", "Gehört spätestens nach"), About: w("How late what brought it may have been heard.", "Wie spät das gehört werden darf, was sie auslöst."), Default: "as the journey says"},
			{Name: "await", Type: ChoiceField, Label: w("Go on", "Weiter geht es"), About: w("At once, or when the provider has taken it.", "Sofort, oder wenn der Anbieter sie angenommen hat."), Default: "at once", Options: []Option{opt("accepted", "when the provider has taken it", "wenn der Anbieter sie angenommen hat")}},
		},
		Forks:   []Fork{next, {At: "otherwise", Label: w("not sent", "nicht gesendet"), Optional: true}},
		Example: "send: {template: welcome, reason: This was your first order with us}",
	},
	{
		Key: string(Wait), Short: "for", Label: w("Wait", "Warten"),
		About: w("Stays for a while, until a time of day, until a date, or until a product is due by the customer's own rhythm.", "Bleibt eine Weile, bis zu einer Uhrzeit, bis zu einem Datum, oder bis ein Artikel nach dem eigenen Rhythmus fällig ist."),
		Says:  w("Wait", "Warten"),
		Ways: []Shape{
			{
				Key: "for", Label: w("for a while", "eine Weile"), Says: w("Wait {for}", "{for} warten"), About: w("A length of time.", "Eine Dauer."),
				Fields: []Field{
					{Name: "for", Type: LengthField, Required: true, Label: w("How long", "Wie lange"), About: w("Such as 3d.", "Zum Beispiel 3d.")},
					{Name: "restart", Type: TruthField, Label: w("Begin again", "Neu beginnen"), About: w("When the trigger happens once more.", "Wenn der Auslöser noch einmal geschieht."), Default: "no"},
				},
			},
			{
				Key: "until_time", Label: w("until a time of day", "bis zu einer Uhrzeit"), Says: w("Wait until {until_time}", "Bis {until_time} warten"), About: w("On the customer's own clock.", "Nach der Uhr der Person."),
				Fields: []Field{
					{Name: "until_time", Type: ClockField, Required: true, Label: w("Time of day", "Uhrzeit"), About: w("The next time that the clock shows it.", "Das nächste Mal, dass die Uhr sie zeigt.")},
					{Name: "weekdays", Type: ChoicesField, Often: true, Label: w("On", "An"), About: w("Which days of the week.", "An welchen Wochentagen."), Default: "any day", Options: dayOptions},
					{Name: "restart", Type: TruthField, Label: w("Begin again", "Neu beginnen"), About: w("When the trigger happens once more.", "Wenn der Auslöser noch einmal geschieht."), Default: "no"},
				},
			},
			{
				Key: "until_date", Label: w("until a date", "bis zu einem Datum"), Says: w("Wait until {until_date}", "Bis {until_date} warten"), About: w("A date that the trigger or the customer has.", "Ein Datum des Auslösers oder der Person."),
				Fields: []Field{
					{Name: "until_date", Type: PathField, Required: true, Label: w("Where the date stands", "Wo das Datum steht"), About: w("trigger.delivery_date or trait.renewal.", "trigger.delivery_date oder trait.renewal.")},
					{Name: "offset", Type: OffsetField, Often: true, Label: w("Before or after", "Davor oder danach"), About: w("-3d is three days before.", "-3d ist drei Tage davor."), Default: "on the day"},
					{Name: "at", Type: ClockField, Often: true, Label: w("Time of day", "Uhrzeit"), About: w("On the customer's own clock.", "Nach der Uhr der Person.")},
					{Name: "late", Type: ChoiceField, Label: w("If it has passed", "Wenn es vorbei ist"), About: w("What happens to who comes too late.", "Was mit denen geschieht, die zu spät kommen."), Default: "skip", Options: []Option{opt("skip", "skip what was waited for", "überspringen, worauf gewartet wurde"), opt("now", "go on at once", "sofort weiter"), opt("exit", "leave the journey", "die Journey verlassen")}},
				},
			},
			{
				Key: "rhythm", Label: w("until a product is due", "bis ein Artikel fällig ist"), Says: w("Wait until a product is due by their own rhythm", "Warten, bis ein Artikel nach dem eigenen Rhythmus fällig ist"), About: w("By the customer's own rhythm of buying.", "Nach dem eigenen Kaufrhythmus der Person."),
				Fields: []Field{
					{Name: "rhythm", Type: ChoiceField, Required: true, Label: w("Rhythm of", "Rhythmus von"), About: w("What has a rhythm.", "Was einen Rhythmus hat."), Options: []Option{opt("product", "a product", "einem Artikel")}},
					{Name: "category", Type: TextField, Label: w("Only of the category", "Nur der Kategorie"), About: w("Other products are not looked at.", "Andere Artikel werden nicht betrachtet.")},
					{Name: "offset", Type: OffsetField, Often: true, Label: w("Before or after", "Davor oder danach"), About: w("-3d is three days before it is due.", "-3d ist drei Tage vor der Fälligkeit.")},
				},
			},
		},
		Forks:   []Fork{next, {At: "otherwise", Label: w("in the past, or no rhythm known", "vorbei, oder kein Rhythmus bekannt"), Optional: true, Needs: []string{"until_date", "rhythm"}}},
		Example: "wait: 3d",
	},
	{
		Key: string(WaitFor), Label: w("Wait for something", "Auf etwas warten"),
		About: w("Stays until the first of several things happens, or time is up.", "Bleibt, bis das Erste von mehreren Dingen geschieht oder die Zeit um ist."),
		Says:  w("Wait for the first of these, at most {timeout}", "Auf das Erste davon warten, höchstens {timeout}"),
		Fields: []Field{
			{Name: "any", Type: ListField, Required: true, Label: w("The first of", "Das Erste von"), About: w("Events, or conditions that become true.", "Ereignisse, oder Bedingungen, die wahr werden."), Items: []Field{
				{Name: "event", Type: OccasionField, Required: true, Label: w("What is waited for", "Worauf gewartet wird"), About: w("An event from now on, or a condition.", "Ein Ereignis ab jetzt, oder eine Bedingung.")},
				{Name: "next", edge: true},
			}},
			{Name: "timeout", Type: LengthField, Often: true, Label: w("At most", "Höchstens"), About: w("When time is up they go on another way.", "Wenn die Zeit um ist, geht es anders weiter."), Default: "for ever"},
			{Name: "restart", Type: TruthField, Label: w("Begin again", "Neu beginnen"), About: w("When the trigger happens once more.", "Wenn der Auslöser noch einmal geschieht."), Default: "no"},
		},
		Forks:   []Fork{{Each: "any", At: "next", Falls: []string{"next"}}, {At: "otherwise", Label: w("time is up", "Zeit ist um"), Needs: []string{"timeout"}, Falls: []string{"next"}}},
		Example: "wait_for: {any: [{event: Order Completed, next: thanks}], timeout: 7d}",
	},
	{
		Key: string(Branch), Short: "cases", Label: w("Branch", "Verzweigen"),
		About: w("Goes the way of the first case that is true of the customer.", "Geht den Weg des ersten Falls, der auf die Person zutrifft."),
		Says:  w("The first case that is true", "Der erste Fall, der zutrifft"),
		Fields: []Field{
			{Name: "cases", Type: ListField, Required: true, Label: w("Cases", "Fälle"), About: w("They are asked in this order.", "Sie werden in dieser Reihenfolge gefragt."), Items: []Field{
				{Name: "when", Type: ConditionField, Required: true, Label: w("If", "Wenn"), About: w("A question about the customer.", "Eine Frage über die Person.")},
				{Name: "next", edge: true},
			}},
			{Name: "else", edge: true},
		},
		Forks:   []Fork{{Each: "cases", At: "next", Falls: []string{"next"}}, {At: "else", Label: w("else", "sonst"), Falls: []string{"otherwise", "next"}}},
		Example: "branch: {cases: [{when: {segment: vip}, next: vip-mail}], else: end}",
	},
	{
		Key: string(Split), Label: w("Split at random", "Zufällig aufteilen"),
		About: w("Sends shares of customers different ways: the same way for ever for one person.", "Schickt Anteile der Kundinnen verschiedene Wege: dieselbe Person immer denselben."),
		Says:  w("Split at random", "Zufällig aufteilen"),
		Fields: []Field{
			{Name: "shares", Type: SharesField, Required: true, Label: w("Shares", "Anteile"), About: w("Percentages that make 100.", "Prozente, die zusammen 100 ergeben.")},
			{Name: "name", Type: TextField, Label: w("Name of the experiment", "Name des Experiments"), About: w("Splits with one name send a person the same way.", "Aufteilungen mit demselben Namen schicken eine Person denselben Weg."), Default: "this step"},
			{Name: "to", edge: true},
		},
		Forks:   []Fork{{Each: "shares", At: "to", Keyed: true, Falls: []string{"next"}}},
		Example: "split: {shares: {a: 50, b: 50}, to: {a: mail-a, b: mail-b}}",
	},
	{
		Key: string(Update), Label: w("Set traits", "Merkmale setzen"),
		About:   w("Notes something in the profile, at once.", "Vermerkt etwas im Profil, sofort."),
		Says:    w("Set {traits}", "{traits} setzen"),
		Fields:  []Field{{Name: "traits", Type: ValuesField, Required: true, Label: w("Traits", "Merkmale"), About: w("Names and values; a value may have placeholders such as {trigger.name}.", "Namen und Werte; ein Wert darf Platzhalter wie {trigger.name} haben.")}},
		Forks:   []Fork{next},
		Example: "update: {traits: {welcomed: true}}",
	},
	{
		Key: string(Jump), Short: "to", Label: w("Jump", "Springen"),
		About:   w("Goes on at another step, back too if it waits on the way.", "Geht an einem anderen Schritt weiter, auch zurück, wenn unterwegs gewartet wird."),
		Says:    w("Jump", "Springen"),
		Fields:  []Field{{Name: "to", edge: true}},
		Forks:   []Fork{{At: "to"}},
		Example: "jump: {to: first-mail}",
	},
	{
		Key: string(Goal), Short: "why", Label: w("Goal", "Ziel"),
		About: w("The journey has reached what it is for. What still waits is recalled.", "Die Journey hat ihr Ziel erreicht. Was noch wartet, wird zurückgeholt."),
		Says:  w("Goal: {why}", "Ziel: {why}"),
		Fields: []Field{
			{Name: "why", Type: TextField, Often: true, Label: w("In words", "In Worten"), About: w("For whoever reads the customer's history.", "Für alle, die die Geschichte der Person lesen.")},
			{Name: "recall", Type: TruthField, Label: w("Recall what waits", "Zurückholen, was wartet"), About: w("Messages that are planned do not leave.", "Geplante Nachrichten gehen nicht hinaus."), Default: "yes"},
		},
		Example: "goal: {why: ordered again}",
	},
	{
		Key: string(Exit), Short: "why", Label: w("Leave", "Verlassen"),
		About: w("The customer leaves the journey here.", "Hier verlässt die Person die Journey."),
		Says:  w("Leave: {why}", "Verlassen: {why}"),
		Fields: []Field{
			{Name: "why", Type: TextField, Often: true, Label: w("In words", "In Worten"), About: w("For whoever reads the customer's history.", "Für alle, die die Geschichte der Person lesen.")},
			{Name: "recall", Type: TruthField, Label: w("Recall what waits", "Zurückholen, was wartet"), About: w("Messages that are planned do not leave.", "Geplante Nachrichten gehen nicht hinaus."), Default: "no"},
		},
		Example: "exit: {why: not interested}",
	},
}

// beside are the fields of every step that stand beside its kind's key.
var beside = []Field{
	{Name: "name", Type: TextField, Label: w("Name", "Name"), About: w("Letters, digits, - and _. Whoever is at a step that is renamed stays in the older version.", "Buchstaben, Ziffern, - und _. Wer an einem umbenannten Schritt steht, bleibt in der älteren Fassung.")},
	{Name: "note", Type: LongField, Label: w("Note", "Notiz"), About: w("For whoever works on the journey. It changes nothing.", "Für alle, die an der Journey arbeiten. Sie ändert nichts.")},
	{Name: "next", edge: true},
	{Name: "otherwise", edge: true},
}

// journeyShape is what a journey says beside its triggers and steps.
var journeyShape = Shape{
	Key: "journey", Label: w("Journey", "Journey"), About: w("What customers go through, one after the other.", "Was Kundinnen durchlaufen, eins nach dem anderen."),
	Fields: []Field{
		{Name: "journey", edge: true},
		{Name: "trigger", edge: true},
		{Name: "steps", edge: true},
		{Name: "move", edge: true},
		{Name: "title", Type: TextField, Often: true, Label: w("Title", "Titel"), About: w("What people call it.", "Wie sie genannt wird.")},
		{Name: "description", Type: LongField, Often: true, Label: w("Note", "Notiz"), About: w("What it is for, for whoever works on it.", "Wozu sie da ist, für alle, die daran arbeiten.")},
		{Name: "audience", Type: ConditionField, Often: true, Label: w("For whom", "Für wen"), About: w("Only these come in; asked again before each message leaves.", "Nur diese kommen hinein; vor jeder Nachricht noch einmal gefragt."), Default: "everybody"},
		{Name: "goal", Type: ConditionField, Often: true, Label: w("Goal", "Ziel"), About: w("Who reaches it leaves, and what waits is recalled.", "Wer es erreicht, verlässt die Journey, und was wartet, wird zurückgeholt.")},
		{Name: "exit", Type: ConditionField, Often: true, Label: w("Leaves when", "Verlässt sie, wenn"), About: w("Who does or is this leaves, and what waits is recalled.", "Wer das tut oder ist, verlässt die Journey, und was wartet, wird zurückgeholt.")},
		{Name: "reentry", Type: ReentryField, Label: w("Again", "Noch einmal"), About: w("Whether somebody may come in once more.", "Ob jemand noch einmal hineinkommen darf."), Default: "by the trigger", Options: []Option{opt("never", "never", "nie"), opt("once_per_key", "once for each key", "einmal je Schlüssel"), opt("after_exit", "as soon as they have left", "sobald sie draußen sind")}},
		{Name: "holdout", Type: ShareField, Label: w("Held out", "Zurückgehalten"), About: w("The share that walks it and gets nothing, so that its effect can be measured.", "Der Anteil, der sie durchläuft und nichts bekommt, damit sich ihre Wirkung messen lässt."), Default: "10%"},
		{Name: "max_lateness", Type: LengthField, Label: w("Heard no later than", "Gehört spätestens nach"), About: w("How late an event may be heard and still let in.", "Wie spät ein Ereignis gehört werden und noch hineinlassen darf."), Default: "1h"},
		{Name: "retest", Type: TruthField, Label: w("Ask for whom again", "Noch einmal fragen, für wen"), About: w("Before each message leaves.", "Bevor eine Nachricht hinausgeht."), Default: "yes"},
		{Name: "serves", Type: TextField, Label: w("Serves the move", "Dient dem Schritt"), About: w("In a customer's life, such as first → repeat.", "Im Leben einer Kundin, etwa first → repeat.")},
	},
}

var dayOptions = []Option{
	opt("mon", "Monday", "Montag"), opt("tue", "Tuesday", "Dienstag"), opt("wed", "Wednesday", "Mittwoch"), opt("thu", "Thursday", "Donnerstag"),
	opt("fri", "Friday", "Freitag"), opt("sat", "Saturday", "Samstag"), opt("sun", "Sunday", "Sonntag"),
}

// Triggers describes every kind of trigger.
func Triggers() []Shape { return slices.Clone(triggerShapes) }

// StepShapes describes every kind of step.
func StepShapes() []Shape { return slices.Clone(stepShapes) }

// Whole describes what a journey says beside its triggers and steps.
func Whole() Shape { return journeyShape }

// Beside returns the fields that every step may have.
func Beside() []Field { return slices.Clone(beside) }

// Named reports whether the field names steps, and so is no field of a form.
func (f *Field) Named() bool { return f.edge }

// names returns the keys that fields may have.
func names(fields []Field) []string {
	list := make([]string, len(fields))
	for i := range fields {
		list[i] = fields[i].Name
	}
	return list
}

func keys(list []Shape) []string {
	all := make([]string, len(list))
	for i := range list {
		all[i] = list[i].Key
	}
	return all
}

func shapeOf(list []Shape, key string) *Shape {
	i := slices.IndexFunc(list, func(s Shape) bool { return s.Key == key })
	if i < 0 {
		return &Shape{Key: key}
	}
	return &list[i]
}

// takes returns the keys that the parser takes of a trigger or step of the kind; way
// is the key of one of its ways, empty if it has one only.
func takes(list []Shape, key, way string) []string {
	s := shapeOf(list, key)
	if way != "" {
		s = shapeOf(s.Ways, way)
	}
	return names(s.Fields)
}

// takesEach returns the keys that the parser takes of the items of a list.
func takesEach(key, field string) []string {
	for _, f := range shapeOf(stepShapes, key).Fields {
		if f.Name == field {
			return names(f.Items)
		}
	}
	return nil
}
