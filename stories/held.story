story: Quiet hours and caps hold a message until it expires
start: 2024-03-04
journeys: evening, goal, rolling

Mon 09:00  ada  Consent Given    email
Mon 22:00  ada  Cart Viewed      items=2
           ada  -> dropped mail evening  quiet_hours   # four hours are over before eight: it is not even kept
           ada  waiting rolling                        # three days are not
Tue 08:00  ada  -> mail rolling
Tue 09:00  ada  Product Added    mug
Tue 10:00  ada  -> mail goal
Tue 11:00  ada  ? email  allowed
