package channels

// The words of servers, in lower case. They are facts of the field: what many
// kinds of servers have said to many senders. A list is asked as a whole, so
// its order does not matter.

// full are the words of a mailbox that exists and takes nothing now.
var full = []string{
	"quota", "mailbox full", "mailbox is full", "mailbox has exceeded", "mailbox exceeded", "mail box full", "full mailbox", "mailfolder is full",
	"inbox is full", "inbox full", "too much mail", "over the limit", "exceeds the maximum mailbox", "maildir over", "mail folder is full", "no space left", "storage limit",
	"exceeded storage", "exceed mailbox", "disk space", "not enough space", "insufficient disk", "insufficient system storage", "out of storage", "account is full", "is over limit",
	"user is over", "mailbox too large", "has exceeded its", "550 : user unknown", "550: : user unknown", "delivery failed: over", "limit exceeded: mailbox", "mailsize limit",
}

// nobody are the words of large providers for an address that is not there, which
// they surround with advice that could be misread.
var nobody = []string{
	"address couldn't be found", "account that you tried to reach does not exist", "no smtp service", "couldn't find a mail exchanger", "could not find a mail exchanger", "nullmx",
	"null mx", "host does not accept mail", "domain does not accept mail", "does not accept mail (nullmx)", "no mx found for domain", "dns lookup failure: host", "delivery error: dd this user doesn't have a",
}

// again are the words of a refusal that is certainly not about whether the address
// exists: the server says so itself, or it first took the recipient and refused
// the whole message, as a person's own filter does.
var again = []string{
	"try again", "try later", "temporar", "end of data", "couldn't create", "could not create", "procmail", "too many", "rate limit", "speed", "[-9]", "msexch:imc", "too fast", "unexpected name server reply", "command data", "invalid address, error_code", "cannot append", "unable to create",
}

// passing are the words of a state that may pass by itself or by somebody's hand.
var passing = []string{
	"timed out", "timeout", "time out", "retry time", "retry timeout", "expired", "too long", "too large", "too big", "size limit",
	"message size", "maximum size", "exceeds size", "delivery time", "connection refused", "connection reset", "network is unreachable", "host is down",
	"no route to host", "connection lost", "lost connection", "could not connect", "unable to connect", "delayed", "loop", "hop count", "too many hops", "system error", "internal error", "i/o error",
	"configuration error", "local error", "software error", "server error", "resources", "busy", "overload", "too many connections", "suspend", "is disabled", "been disabled",
	"deactivated", "account disabled", "mailbox disabled", "not available", "unavailable", "command output", "syntax error", "not implemented", "command not recognized",
	"out of memory", "exceeded the", "hasn't been able", "frozen", "being shut down", "may be down",
}

// missing are the words of an address or a host that does not exist.
var missing = []string{
	"user unknown", "unknown user", "no such user", "no such recipient", "no such address", "no such mailbox", "no such person", "unknown recipient", "recipient unknown", "unknown address", "address unknown", "unknown local part",
	"unknown local-part", "unknown account", "user does not exist", "user doesn't exist", "account does not exist", "mailbox does not exist", "mailbox doesn't exist", "address does not exist", "recipient does not exist",
	"does not exist here", "doesn't have an account", "doesn't have a", "not have an account", "no account by that name", "no mailbox here", "no mailbox by that name", "mailbox not found", "user not found", "recipient not found", "address not found", "account not found",
	"mailbox unknown", "mailbox name not allowed", "user not known", "not a known user", "is not a valid mailbox", "not a valid mailbox", "not a valid user", "invalid recipient", "invalid mailbox", "invalid user", "recipient invalid",
	"bad destination", "mailbox unavailable", "recipient address rejected: access denied", "invalid final delivery", "host or domain name not found", "name service error", "no user", "not our customer", "not our user", "is not a user", "not listed in", "unrouteable address", "unroutable address", "unknown mailbox", "undeliverable address", "unknown or illegal alias",
	"not in directory", "not exist in", "no longer valid", "no longer available", "no longer in use", "no longer active", "no longer exists", "no longer has", "unknown email", "email address is not known",
	"bad address", "user is unknown", "is not known at", "this user doesn't", "sorry, no mailbox", "no such domain", "unknown host", "host unknown", "domain does not exist", "host not found",
	"domain not found", "has no mail exchanger", "couldn't find any host", "cannot find", "unrouteable mail domain", "unrouteable domain", "name or service not known", "no mx record", "nxdomain",
	"domain name not found", "host name is unknown", "has moved", "new address", "user moved", "address has changed", "mailaddress is administratively disabled", "resolver.adr.recip", "resolver.adr.exrecipnotfound", "unknown virtual",
}

// sender are the words of a refusal that is about who sends, whatever they say of
// the address besides.
var sender = []string{
	"sender address rejected", "sender verify", "sender rejected", "domain of sender", "sender domain", "sending domain", "from address", "sender's", "sender address does not", "sender is", "envelope from", "mail from", "sender denied",
	"blacklist", "black list", "blocklist", "block list", "blocked using", "dnsbl", "rbl", "spamhaus", "spamcop", "barracudanetworks", "sorbs", "reputation", "reverse dns", "reverse lookup", "rdns", "ptr record", "helo", "ehlo", "unsolicited",
	"spam", "spf", "dkim", "dmarc", "unauthenticated", "authentication", "not authenticated", "relay", "client host", "banned", "abuse", "your ip", "your host", "your email", "your domain", "your server", "your access", "client address",
}

// policy are the words of a refusal by rule, on content or standing.
var policy = []string{
	"policy", "virus", "malware", "content", "rejected by", "not permitted", "not allowed", "denied", "prohibited", "refused by", "not authorized", "unauthorized", "administrat", "filter", "blocked", "security", "message rejected", "message was rejected",
	"message refused", "restricted", "not accept", "header", "attachment", "rejected due", "not accepting", "access",
}
