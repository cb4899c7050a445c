package intake

import "rapport/internal/core/identity"

// Bodies and events. Segment's own limits are 500 kB a batch and 32 kB an event;
// no SDK sends more.
const (
	// MaxBodyPublic is the largest body, as sent, for a write key. A write key is
	// public: whoever reads a page's source can send so much at once.
	MaxBodyPublic = 512 << 10
	// MaxBodyServer is the largest body, as sent, for a secret key: imports and
	// shop back-ends batch more.
	MaxBodyServer = 4 << 20
	// MaxUnzipped is the largest body after unzipping, for every key. JSON
	// shrinks about eightfold, so an honest zipped body of MaxBodyPublic fits; a
	// zip bomb, which grows a thousandfold, is cut off here.
	MaxUnzipped = 4 << 20
	// MaxEventPublic is the largest message for a write key.
	MaxEventPublic = 32 << 10
	// MaxEventServer is the largest message for a secret key. An order of 2,000
	// lines with all their fields needs about as much.
	MaxEventServer = 256 << 10
	// MaxBatch is how many messages one body may hold, as with Segment and
	// RudderStack. It bounds what one durable write has to carry.
	MaxBatch = 2500
)

// Within an event.
const (
	// maxMessageID is the longest messageId in bytes. SDKs send 36 to 60, and a
	// profile remembers the last 256 of them.
	maxMessageID = 100
	// maxName is the longest name of an event in bytes. Names become rows of
	// statistics and labels on pages.
	maxName = 200
	// maxID is the longest userId, anonymousId, groupId or previousId in bytes.
	maxID = identity.MaxValue
	// maxKeyLen is the longest key of an object in bytes. Keys become columns and
	// labels.
	maxKeyLen = 256
	// maxKeys is how many keys one object may have. More is data in the place of
	// names, and makes every look-up in the object slow.
	maxKeys = 1000
	// maxDepth is how deep properties, traits and context may nest, themselves
	// counted; the encoding of event.Object allows no more.
	maxDepth = 32
	// maxValues is how many values one message may hold. An event of
	// MaxEventServer with 2,000 order lines of twelve fields has 26,000. fastjson
	// spends about 80 bytes on each, so this bounds what a hostile "[0,0,0,…" costs.
	maxValues = 50_000
	// maxNumber is the longest text of a number in bytes. The longest that tells
	// one float from the next has 24.
	maxNumber = 64
)

// Answers and quarantine.
const (
	// maxListed is how many rejects an answer names one by one; the rest are
	// counted. All of them are in the quarantine.
	maxListed = 100
	// maxField is the longest path of a field in a reject, in bytes: it is for
	// people, and keys of strangers are in it.
	maxField = 200
	// keptOfTooLarge is how much of a message over the size limit the quarantine
	// gets, in bytes: enough to recognise it. It could not be replayed anyway.
	keptOfTooLarge = 1 << 10
)

// Memory.
const (
	// DefaultInFlight is how many bytes of bodies may be in memory at once, unless
	// [Limits] says otherwise. Decoding takes about as much again twice over, so
	// a flood costs some 200 MB and then is told to wait.
	DefaultInFlight = 64 << 20
	// minBuffer is the smallest buffer for a body: twenty events, a usual batch.
	minBuffer = 16 << 10
	// maxPooled is the largest buffer that is kept for the next body. One large
	// body must not make every later one hold so much.
	maxPooled = 64 << 10
	// parserLife is after how many bytes a parser is thrown away. fastjson keeps
	// the room of the widest object it has seen at each place in a document, so
	// bodies made for the purpose could make it grow for ever.
	parserLife = 1 << 20
)

// Admission.
const (
	// DefaultRate is how many messages a second one key may send, unless [Limits]
	// says otherwise. It is about twice what a machine can take: by default it
	// stops only a loop that has run away, and a shop with many keys sets it lower.
	DefaultRate = 150_000
	// burstSeconds is for how long a key may save up what it did not send. A shop
	// page's events come in bursts; two seconds hide them.
	burstSeconds = 2
	// retryAfter is the Retry-After, in seconds, when memory or the log is behind.
	// Both catch up in well under a second; SDKs do not wait for less than one.
	retryAfter = 1
	// retryBroken is the Retry-After, in seconds, when the log cannot be written
	// at all: somebody has to come and see.
	retryBroken = 30
)
