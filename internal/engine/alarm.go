package engine

// keepsAlarm reports whether a commit may leave the alarm that the store has of a
// profile. An alarm that has not moved stays. One that moved away may stay too, for
// as long as it has not come: most events of a customer put off what they wait for,
// and each change of the store's index of alarms costs as much as the row. When the
// earlier instant comes the profile is looked at once for nothing, see tooEarly.
// Under a virtual clock time goes from alarm to alarm, so there they are exact.
func (l *lane) keepsAlarm(it *item) bool {
	switch {
	case it.base == nil || it.early || it.damaged:
		return false
	case it.due() == it.alarm:
		return true
	}
	return !l.e.o.Virtual && it.alarm < it.due() && it.alarm > l.pos.Now
}

// tooEarly has the next commit say when a profile's alarm comes, after the store
// called it due and it is not. The lock is held.
func (l *lane) tooEarly(it *item) {
	if it.damaged {
		return
	}
	l.touch(it)
	it.early = true
}
