package page

// Frame is what stands around every page.
type Frame struct {
	Title   string // of the page, for the tab and the history
	Section string // which entry of the navigation is current: "home", "customers", "segments", "journeys", "quarantine"; empty: none
	Shop    string // its name; may be empty
	Now     When   // the instant as of which everything is told
	Demo    bool   // the shop is the demonstration: home is /demo
	Mails   string // path of the mail catcher; empty: there is none
	Refresh int    // seconds after which the browser asks again; 0: it does not
	Style   string // set by Render
}

func (f *Frame) frame() *Frame { return f }

// Link leads to another page.
type Link struct {
	Text string
	Href string // a path of ours
}

// Fact is one figure with its name.
type Fact struct {
	Label    string
	Value    string
	Note     string // what else is to be known of it; may be empty
	Invented bool   // rests on what the demonstration made up
}

// Tag is a short word about a thing.
type Tag struct {
	Text string
	Tone Tone
}

// Tone is the colour of a [Tag]; the text says the same, for those who see none.
type Tone string

// The tones.
const (
	Plain Tone = ""
	Good  Tone = "good"
	Warm  Tone = "warm"
	Bad   Tone = "bad"
	Soft  Tone = "soft"
)

// Lines are the four lines of the loop: heard, understood, said, learnt.
type Lines struct {
	Busy     bool // the feed has more to tell than was read so far
	Heard    []Fact
	Segments []Segment // those with a page of their own
	Sent     []Fact
	NotSent  []Bar
	Learnt   []Learnt
	TooFew   string // what is to be said of journeys with too few people; may be empty
	Lift     string // what must be said about every interval; may be empty
	Year     Weeks
}

// Segment is a row of the list of segments.
type Segment struct {
	Name  string
	Href  string
	About string // its condition as a sentence
	Count string
	Share Meter
}

// Learnt is what one journey brought, beside those who were held out of it.
type Learnt struct {
	Journey Link
	People  string
	Lift    string // orders per 100 people, with its bounds
	Spoken  bool   // there are enough people to say anything
	Chart   Interval
	Verdict string
}

// Home is the overview of a shop.
type Home struct {
	Frame
	Lines
	Ready string // why the engine is not ready, a sentence; empty: it is
}

func (*Home) template() string { return "home" }

// Demo is the page of the demonstration.
type Demo struct {
	Frame
	Lines
	Date     string // that the virtual clock has reached; empty: it has not begun
	Begins   string // the first and the last day of the replay
	Ends     string
	Progress Meter
	Percent  string
	Counts   []Fact // how fast, how far
	Running  bool
	Still    bool // the reader has asked the page to stand still
	Done     bool
	Doing    string // what is done between the year and the end, a sentence
	Trouble  string // what ended the replay too early, a sentence; empty: nothing did
	Next     []Next
	Found    []Section // what models and reports found; empty until the year is over
	Story    []Step
	Honest   []string
	Invented string // the label
}

// Section is a heading, sentences, and a table of figures.
type Section struct {
	ID    string // of the heading
	Title string
	Notes []string
	Head  []string // empty: there is no table
	Rows  [][]string
}

func (*Demo) template() string { return "demo" }

// Next is a place to look at next.
type Next struct {
	Link
	About string
}

// Step is one thing of a short story.
type Step struct {
	At     string
	What   string
	Detail string
}

// Customers is the search for customers, and a list to begin with.
type Customers struct {
	Frame
	Query   string
	Missing string // nobody is known by the query: a sentence
	List    []Person
	More    string // the next page; empty: this is the last
}

func (*Customers) template() string { return "customers" }

// Person is a customer in a list.
type Person struct {
	Link
	Invented bool
	Note     string // what else identifies them
	Orders   string
	Spent    string
	Last     When
}

// Groups is the list of segments.
type Groups struct {
	Frame
	List []Segment
}

func (*Groups) template() string { return "segments" }

// Group is the page of one segment.
type Group struct {
	Frame
	Name     string
	Label    string
	About    string
	Sentence string
	Count    string
	List     []Person
	Shown    string // how many of the members the list shows
	More     string
}

func (*Group) template() string { return "segment" }

// Journeys is the list of journeys.
type Journeys struct {
	Frame
	List []JourneyRow
}

func (*Journeys) template() string { return "journeys" }

// JourneyRow is a row of the list of journeys.
type JourneyRow struct {
	Link
	Trigger                               string
	Entered, Inside, Sent, NotSent, Share string
}

// Journey is the page of one journey.
type Journey struct {
	Frame
	Name    string
	About   []Fact // who enters, who leaves, what is its goal
	Numbers []Fact
	Steps   []JourneyStep
	NotSent []Bar
}

func (*Journey) template() string { return "journey" }

// JourneyStep is one step of a journey as it is drawn.
type JourneyStep struct {
	ID      string // anchor
	Number  string
	Kind    string // "send", "wait", "wait_for", "branch", "split", "update", "jump", "exit", "goal"
	Title   string
	Edges   []Edge
	Numbers []Fact
}

// Edge leads from a step to another.
type Edge struct {
	Label string // when it is taken; empty: always
	To    Link   // Href empty: the journey ends there
}

// Quarantine is the list of what was put aside.
type Quarantine struct {
	Frame
	List  []Aside
	Shown string
}

func (*Quarantine) template() string { return "quarantine" }

// Aside is one event that was put aside.
type Aside struct {
	At     When
	Kind   string
	Reason string
	Field  string
	Detail string
	Who    Link // Href empty: it is nobody's
}

// Trouble is the page that says why there is none.
type Trouble struct {
	Frame
	Text string
}

func (*Trouble) template() string { return "trouble" }
