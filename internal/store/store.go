// Package store is the port to state: what the engine has made of the log.
//
// The log is the durability point; the store is a fold of it, committed now and
// then. One [Commit] makes a batch of records true: profiles, history,
// memberships, deliveries, forwards, the feed and the position, all or nothing.
// The position is the fence: a commit that does not start where the last one
// ended is a Conflict, and whoever gets it has lost the lane.
//
// Bodies of profiles, history and decisions are bytes in the product's own
// encoding; the store keeps beside them, as columns, only what somebody looks
// for. storetest is the conformance suite; memory and sqlite pass it.
package store

import (
	"context"
	"iter"
	"math"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// Position is how far a lane has been folded: the epoch of its log and the
// sequence of the last record, with what the lane knew there. The zero Position
// is before everything. Epoch and Seq are the fence; the rest is kept with them.
type Position struct {
	Epoch uint64
	Seq   uint64
	Now   event.Time // of the last record: alarms up to it have a right to fire

	// Turns are the programs that customers may be under, the oldest first and the one
	// in force last; zeros follow. Once everybody is brought up to it, it stands alone.
	Turns [MaxTurns]Turn
}

// Turn is a program that came into force.
type Turn struct {
	Program uint64
	Since   event.Time // the instant as of which customers are brought up to it, whenever that is done
	// Swept is the first [Row.Number] to which its sweep has not come yet: customers before
	// it were brought up to the program, and those whom it did not change were not written.
	// It is Everybody once that is so.
	Swept int64
}

// Everybody is behind all numbers of rows.
const Everybody = math.MaxInt64

// MaxTurns is how many programs may be on their way to everybody at once.
const MaxTurns = 4

// Force returns how many turns there are.
func (p *Position) Force() (n int) {
	for n < MaxTurns && p.Turns[n].Program != 0 {
		n++
	}
	return n
}

// Program returns the program in force after the last record; zero before the first.
func (p *Position) Program() uint64 {
	if n := p.Force(); n > 0 {
		return p.Turns[n-1].Program
	}
	return 0
}

// Evaluated returns the program under which a customer counts as evaluated, given the
// one that their row names: a sweep does not write whom it does not change. Whose alarm
// comes before a program that they name have not come to it, but to an earlier time of
// it: their alarm belongs to the one between. Number is that of their row; zero: it is
// not known, and what is in memory of them names what came to them in a sweep.
func (p *Position) Evaluated(of *profile.Profile, number int64) uint64 {
	if profile.Pending(of.Program) {
		return of.Program
	}
	for i := p.Force() - 1; i >= 0; i-- {
		t := &p.Turns[i]
		if t.Swept == Everybody || 0 < number && number < t.Swept || t.Program == of.Program && (i == 0 || of.Alarm > t.Since) {
			return t.Program
		}
	}
	return of.Program
}

// Store holds the state of all lanes of one workspace.
type Store interface {
	// Position returns how far the lane has been committed.
	Position(ctx context.Context, lane int) (Position, error)

	// Commit makes all of c true, or none of it, and durable. It returns a fault
	// of kind Conflict if the epoch and sequence of the lane's position are no
	// longer c.From's: another engine has taken over the lane, and the caller must
	// stop. Any other error leaves the store as it was or, if the disk failed in
	// the very act, as c wanted it; so the caller forgets what it has cached and
	// asks for the position. Of two rows with one key in c the later is true. The
	// bytes in c are the caller's again afterwards.
	Commit(ctx context.Context, c *Commit) error

	// Load returns the hot rows of the ids, in their order, without their alarm; where
	// there is none the Body is nil. The bytes are the caller's.
	Load(ctx context.Context, ids []identity.ID) ([]Row, error)

	// History returns the blocks of the strands in the order in which they were
	// committed, those of one commit in its order. Strands without history give
	// nothing; a strand that is named twice counts once.
	History(ctx context.Context, strands ...identity.ID) ([]Block, error)

	// Histories returns for each of the strands its blocks, as History does of one
	// alone, but without their shelves, all in one view of the data. It is for who
	// asks for hundreds: what they share is read once. Nobody may write into the bodies.
	Histories(ctx context.Context, strands []Strand) ([][]Block, error)

	// WarmHistories brings the newest pieces of history into memory for a while, if it
	// serves Histories: whoever is live is asked for first when a program comes into
	// force that asks something new. It changes no answer.
	WarmHistories(ctx context.Context) error

	// Fingerprints returns the fingerprints of the ids in the blocks of a strand
	// and month, in any order; month AnyMonth asks all of them.
	Fingerprints(ctx context.Context, strand identity.ID, month int32) ([]uint64, error)

	// Profiles returns the hot rows with from ≤ id, in order of id, at most limit.
	Profiles(ctx context.Context, from identity.ID, limit int) ([]Row, error)

	// Living returns the hot rows with from ≤ id ≤ to that are no signposts, in order
	// of id, at most limit. Of three rows of a shop two are signposts. The parts of
	// these rows come apart, in Body and Rest: a sweep reads so many that putting them
	// together would be felt.
	Living(ctx context.Context, from, to identity.ID, limit int) ([]Row, error)

	// Census is Living in order of number, of those with first ≤ number ≤ last: who
	// comes to everybody so reads, and writes, what lies together. The answer lies in the
	// page, if there is one.
	Census(ctx context.Context, first, last int64, from, to identity.ID, limit int, into *Page) ([]Row, error)

	// LastNumber returns the highest number that a row has; zero if there is none.
	LastNumber(ctx context.Context) (int64, error)

	// Due returns the profiles with from ≤ id ≤ to whose alarm is at or before
	// now, the earliest first, at most limit.
	Due(ctx context.Context, from, to identity.ID, now event.Time, limit int) ([]Row, error)

	// DueAfter is Due from behind the last row of an earlier answer on, whose id and
	// alarm it takes: who reads a crowd page by page need not commit in between.
	DueAfter(ctx context.Context, last Row, from, to identity.ID, now event.Time, limit int) ([]Row, error)

	// NextAlarm returns the earliest alarm of the profiles with from ≤ id ≤ to;
	// event.Never if there is none.
	NextAlarm(ctx context.Context, from, to identity.ID) (event.Time, error)

	// DueDeliveries returns planned deliveries of the channel whose NotBefore is
	// at or before now, by priority, NotBefore and id, at most limit. An empty
	// channel asks all.
	DueDeliveries(ctx context.Context, channel string, now event.Time, limit int) ([]Ref, error)

	// DueWithin is DueDeliveries of all channels with from ≤ priority ≤ to.
	DueWithin(ctx context.Context, from, to int32, now event.Time, limit int) ([]Ref, error)

	// NextDelivery returns the earliest NotBefore of all planned deliveries;
	// event.Never if there is none.
	NextDelivery(ctx context.Context) (event.Time, error)

	// InState returns the deliveries in a state, by id, at most limit, after the
	// id. It serves restarts (claims that were lost) and audits.
	InState(ctx context.Context, state profile.State, after profile.DeliveryID, limit int) ([]Ref, error)

	// Delivery returns one row of the ledger, or a fault of kind NotFound.
	Delivery(ctx context.Context, id profile.DeliveryID) (Delivery, error)

	// DeliveriesOf returns the deliveries of one profile id, the one that was
	// planned last first, then by id, at most limit.
	DeliveriesOf(ctx context.Context, id identity.ID, limit int) ([]Delivery, error)

	// Deliveries yields every row of the ledger in order of id; after an error
	// nothing follows. The caller may commit meanwhile and may or may not meet what
	// it committed.
	Deliveries(ctx context.Context) iter.Seq2[Delivery, error]

	// DeliveryCounts counts deliveries by state, journey, channel and reason, in
	// that order.
	DeliveryCounts(ctx context.Context) ([]DeliveryCount, error)

	// Members returns the profiles in a segment with after < id, in order of id, at most limit.
	Members(ctx context.Context, segment uint64, after identity.ID, limit int) ([]identity.ID, error)

	// SegmentCounts counts the members of each segment that has any, by key.
	SegmentCounts(ctx context.Context) (map[uint64]int64, error)

	// Runs returns the runs of campaigns that the lane knows, in the order in which
	// they were first committed. The bytes are the caller's.
	Runs(ctx context.Context, lane int) ([]Run, error)

	// Forwards returns the entries that wait to be appended to lanes' logs, in
	// the order of (lane, number), at most limit.
	Forwards(ctx context.Context, limit int) ([]Forward, error)

	// Feed returns the feed blocks of a lane with To > after in the order in which
	// they were committed, at most limit.
	Feed(ctx context.Context, lane int, after uint64, limit int) ([]Feed, error)

	// Quarantined returns what was put aside, the last committed first, at most limit.
	Quarantined(ctx context.Context, limit int) ([]Quarantine, error)

	// SaveProgram keeps the source of a program under its hash; the same twice is
	// one. It is durable when it returns.
	SaveProgram(ctx context.Context, hash uint64, source []byte) error

	// Program returns the source of a program, or a fault of kind NotFound.
	Program(ctx context.Context, hash uint64) ([]byte, error)

	// Stats returns sizes for people: rows by table under "profiles", "living" (those of profiles that are no signposts), "history",
	// "members", "deliveries", "forwards", "feed", "quarantine" and "programs", and
	// the bytes on disk under "bytes"; where something was damaged, under
	// "members_mended" how many memberships were made anew when it was opened.
	Stats(ctx context.Context) (map[string]int64, error)

	Cleaner

	// Close waits for the calls under way. After it every call is a fault of kind
	// Unavailable; a second Close does nothing.
	Close() error
}

// AnyMonth asks [Store.Fingerprints] for every month.
const AnyMonth int32 = -1

// Commit is everything that a run of records changed in one lane.
type Commit struct {
	Lane     int
	From, To Position

	Profiles    []Row
	History     []Block
	Memberships []Membership
	Deliveries  []Delivery // new rows, or new states of old ones
	Forwards    []Forward
	Forwarded   uint64 // forwards of this lane up to this number are appended and can go
	Quarantine  []Quarantine
	Runs        []Run  // new runs of campaigns, or new states of old ones
	Feed        []byte // compressed; empty: nothing to tell

	// Forget names whose history, memberships and quarantine are deleted, and whose
	// deliveries keep only what counts messages, after everything else in c.
	Forget []identity.ID
}

// Run is the state of one run of a campaign in one lane.
type Run struct {
	Campaign string
	Name     string
	Body     []byte
}

// Row is the hot row of a profile. What changes with almost every event is written
// apart from what seldom changes, so that a commit writes only the former of most
// profiles. Nobody who reads sees that there are two.
type Row struct {
	ID identity.ID

	// Number is, in an answer, the place of the row in the order in which rows came into
	// the store, from 1 on. A row keeps it for as long as it is there. In a Commit it is
	// what an answer said, by which the row is found sooner; zero: nobody knows.
	Number int64

	Alarm event.Time // event.Never: none
	// KeepAlarm, in a Commit, leaves the alarm of a row that is there as it is: the
	// index of alarms is not touched, which would cost as much as the row.
	KeepAlarm bool
	// Signpost says, in a Commit, that nobody lives at the row: it points to another.
	// Of a row that is there it counts if Turned is set, which says that it may have
	// been otherwise. In an answer both are false.
	Signpost, Turned bool
	// Body is, in a Commit, the part that changes often; in an answer it is what was
	// committed as Body with the Rest that was committed last behind it.
	Body []byte
	// Rest is, in a Commit, the part that seldom changes: nil keeps what is there,
	// no bytes take it away. In an answer it is nil, but for those of Living and Census.
	Rest []byte
	// Head is, in an answer of Living and Census, where the history of the strand with this id
	// begins.
	Head int64
}

// Page is memory for one answer after another, for who looks at many rows and keeps hardly
// any: they are written over by the next.
type Page struct {
	Rows  []Row
	Bytes []byte // of their parts
}

// Strand is whose history is asked for. Head is what Census said of its row, though the
// history may have grown since; zero: the store looks for it.
type Strand struct {
	ID   identity.ID
	Head int64
}

// Block is a piece of a strand's history: the events that one commit brought, in the
// order in which they were applied.
type Block struct {
	Strand identity.ID
	Shelf
	Others []Shelf // of further months that events of it are of, as an import brings them
	Body   []byte  // compressed
}

// Shelf holds the fingerprints of the ids of events of one month.
type Shelf struct {
	Month        int32 // of the raw client time, or of the instant heard if the client sent none
	Fingerprints []uint64
}

// Shelves calls do for each of the block's.
func (b *Block) Shelves(do func(Shelf)) {
	do(b.Shelf)
	for _, s := range b.Others {
		do(s)
	}
}

// Membership is one customer entering or leaving one segment.
type Membership struct {
	Segment uint64
	Profile identity.ID
	In      bool
}

// Delivery is one row of the ledger.
type Delivery struct {
	profile.Delivery
	Profile identity.ID
	Because string     // the rule's reason code: "no_consent", "bought" …; empty while nothing stopped it
	Changed event.Time // when the state was reached
	Plan    []byte     // the decision at planning; nil in a Commit keeps what is there
	Claim   []byte     // the decision at the claim; nil in a Commit keeps what is there
	Outcome string     // what the provider said; empty in a Commit keeps what is there
}

// Ref is where to find a delivery.
type Ref struct {
	ID        profile.DeliveryID
	Profile   identity.ID
	Channel   string
	NotBefore event.Time
	Deadline  event.Time
	Fence     uint64
	Priority  int32
}

// DeliveryCount counts deliveries that are alike.
type DeliveryCount struct {
	State   profile.State
	Journey string
	Channel string
	Because string
	Count   int64
}

// Forward is an entry on its way from one home to another.
type Forward struct {
	Lane   int    // that sends it
	Number uint64 // grows by one with each forward of the lane
	From   identity.ID
	To     identity.ID
	At     event.Time // `now` of the record that led to it
	Entry  []byte     // an identity.Addressed
}

// Feed is what one commit tells the warehouse.
type Feed struct {
	Lane  int
	Epoch uint64
	From  uint64 // sequence of the position before
	To    uint64
	Body  []byte
}

// Quarantine is an event that was put aside, with the reason.
type Quarantine struct {
	At     event.Time
	To     identity.ID // whose it was; zero: it never got an address
	Kind   string      // "rejected": failed the checks; "poison": the core panicked; "hops": forwarded too often
	Reason string      // a sentence
	Field  string      // the field that failed; may be empty
	Detail string      // a stack, or the body as sent, cut to a stated size
	Entry  []byte      // the event, if it could be read
}

// Ledger is dispatch's own book: which deliveries were begun, and which
// addresses and people may not be written to. It has its own file and writer,
// so that a large commit of state never holds back an unsubscribe.
type Ledger interface {
	// Start writes that the deliveries are about to be handed over, durably, and
	// says of each whether it may go ahead. In the same transaction it reads the
	// suppressions: no Start can begin a delivery that was suppressed before it.
	// A delivery whose Only another was begun with is Same, and was not begun.
	// A delivery that was begun before is Again, suppressed since or not, unless
	// Resend is set: then it is asked like a new one. What is stopped was not
	// begun.
	Start(ctx context.Context, batch []Start) ([]StartAnswer, error)

	// Begun reports whether the delivery was begun under the fence or a later one,
	// whatever became of it.
	Begun(ctx context.Context, id profile.DeliveryID, fence uint64) (bool, error)

	// Note keeps the receipts of deliveries that were begun until they are in the
	// log. It need not be durable at once: a delivery whose note is lost counts
	// as unknown. A delivery that was never begun is passed over.
	Note(ctx context.Context, receipts []Receipt) error

	// Finish notes that the receipts of these deliveries are in the log. It need
	// not be durable at once: a receipt told twice is told once. A delivery that
	// was never begun is passed over.
	Finish(ctx context.Context, ids []profile.DeliveryID) error

	// Unfinished returns deliveries begun before the instant that have no
	// receipt in the log, by id, with the receipt if one was noted, at most limit.
	Unfinished(ctx context.Context, before event.Time, limit int) ([]Start, error)

	// Suppress is durable when it returns. Suppressing twice by the same word is
	// once; what several said stands until each has been taken back.
	Suppress(ctx context.Context, s Suppression) error

	// Release takes back what was Unsubscribed, at or before the instant, for
	// exactly this channel and purpose, after a person asked for messages again: a
	// later change of mind stands. It does not touch suppressions for bounces,
	// complaints, erasure or any other reason.
	Release(ctx context.Context, subject [16]byte, channel, purpose string, until event.Time) error

	// Retract takes back every suppression that was written in the name of by, and
	// of no other, whatever its reason, and returns how many these were: an import
	// was undone by somebody who answers for it. What others said of the same
	// subjects stands.
	Retract(ctx context.Context, by string) (int64, error)

	// Suppressed reports whether a delivery to the subject would be stopped, and
	// why: of several suppressions the oldest.
	Suppressed(ctx context.Context, subject [16]byte, channel, purpose string) (Suppression, bool, error)

	// AllSuppressed answers many questions as Suppressed answers each, in their
	// order; nil: nothing stops it. A suppression whose Suppress was answered before
	// the call is seen by all of them.
	AllSuppressed(ctx context.Context, questions []Question) ([]*Suppression, error)

	// SuppressionsOf returns every suppression of a subject, by channel, purpose,
	// reason and who said it.
	SuppressionsOf(ctx context.Context, subject [16]byte) ([]Suppression, error)

	// Suppressions counts the suppressions by reason; what several said of one
	// subject, channel and purpose for one reason counts once.
	Suppressions(ctx context.Context) (map[string]int64, error)

	// Forget deletes the starts of the profiles with their receipts, finished or
	// not. Suppressions stay: they are keyed hashes, and who was erased must not be
	// written to.
	Forget(ctx context.Context, profiles ...identity.ID) error

	// Compact is [Cleaner.Compact] for the ledger.
	Compact(ctx context.Context) error

	// Close waits for the calls under way. After it every call is a fault of kind
	// Unavailable; a second Close does nothing.
	Close() error
}

// Start is the wish to begin one delivery.
type Start struct {
	ID       profile.DeliveryID
	Profile  identity.ID
	Fence    uint64
	Subjects [][16]byte // the profile and a keyed hash of the address: any of them suppressed stops it
	Channel  string
	Purpose  string
	At       event.Time
	Resend   bool // a service message whose outcome is unknown goes again
	Service  bool
	Only     [16]byte // of all deliveries with it one is begun; zero: not asked
	Receipt  []byte   // what Note kept; only Unfinished sets it
}

// Receipt is what became of a delivery, on its way to the log.
type Receipt struct {
	ID    profile.DeliveryID
	Entry []byte // an identity.Addressed
}

// StartAnswer says whether a delivery may be handed over.
type StartAnswer uint8

// The answers.
const (
	Go    StartAnswer = 0
	Again StartAnswer = 1 // it was begun before: its outcome is unknown, or known already
	Stop  StartAnswer = 2 // suppressed
	Same  StartAnswer = 3 // another delivery was begun with the same Only
)

// Suppression forbids a channel and purpose to a subject.
type Suppression struct {
	Subject [16]byte // a profile id or a keyed hash of an address: no personal data
	Channel string   // empty: every channel
	Purpose string   // empty: every purpose
	Reason  string   // Unsubscribed, Bounced, Complained, Erased
	At      event.Time
	By      string // the delivery, request or import that led to it
}

// Question is whether a delivery would be stopped.
type Question struct {
	Subject          [16]byte
	Channel, Purpose string
}

// The reasons of suppressions. They are stored: never rename.
const (
	Unsubscribed = "unsubscribed" // the person asked; they may ask for messages again
	Bounced      = "bounced"      // the address does not exist
	Complained   = "complained"   // the person called a message spam
	Manual       = "manual"       // somebody held the address back, and why is not known
	Erased       = "erased"       // the person asked to be forgotten
)
