package page

// Customer is the page of one customer.
type Customer struct {
	Frame
	Path     string // of this page
	Name     string
	Invented string // the label, if the person is made up; else empty
	Subtitle string // the strongest identifier that is not the name
	Notes    []string
	Facts    []Fact // the figures on top
	Spending Spark  // spent per week

	Identifiers  []Fact
	Traits       []Fact
	Consents     []Consent
	Segments     []Membership
	Journeys     []Instance
	Messages     []MessageRow
	Earlier      []MessageRow // the rest of them, folded away
	MoreMessages string       // how many those are
	Bought       []Bought
	Days         []Day
	Older        string // the next page of the timeline; empty: there is none
	Newer        bool   // this is not the newest page of it
	Elsewhere    string // where this person's caught mails are; empty: nowhere
	MoreBought   string // how many products the list leaves out; empty: none
}

func (*Customer) template() string { return "customer" }

// Consent is the last word on one purpose over one channel.
type Consent struct {
	What     string // "Marketing by e-mail"
	State    Tag
	At       When
	Evidence string
	Proof    string // the entry that proves it
}

// Membership is a segment that the customer is in.
type Membership struct {
	Link
	Since When
	Until string // when the clock alone would end it; empty: only an event does
	Why   string
}

// Instance is the customer in one journey.
type Instance struct {
	Link
	Step    string
	Entered When
	Wake    string // when it goes on by itself
	Note    string
}

// MessageRow is a message in a list.
type MessageRow struct {
	Link
	State Tag
	At    When
	About string // channel and template
	Why   string
}

// Bought is one product that the customer bought.
type Bought struct {
	Name   string
	SKU    string
	Times  string
	Last   When
	Rhythm string // how often, in words; empty: no rhythm is known
	Due    string // when it is due again; empty if there is no rhythm
}

// Day is a day of the timeline.
type Day struct {
	Date  string
	Items []Moment
}

// Moment is one thing that happened.
type Moment struct {
	At     When
	Clock  string // the time of day
	Kind   string // "order", "refund", "message", "consent", "browse", "who", "other": the mark beside it
	What   string
	Detail string
	Href   string // of what it is about; may be empty
	Tags   []Tag
}

// Message is the page of one message.
type Message struct {
	Frame
	ID        string
	Heading   string
	State     Tag
	Why       string // in a sentence or two
	Reason    string // that the message itself gives; empty: none
	Customer  Link
	Journey   Link
	Invented  string // the label, if the customer is made up
	Mail      string // where the caught mail is; empty: nowhere
	Facts     []Fact
	Decisions []Decision
}

func (*Message) template() string { return "message" }

// Decision is one passage of the gate.
type Decision struct {
	Title    string
	At       When
	Sentence string
	Checks   []Check
	Facts    []Fact
	Against  []Link
}

// Check is one thing that was looked at.
type Check struct {
	Protection string // the rule's name
	Pass       bool
	What       string
}
