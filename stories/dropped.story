story: What a policy drops takes the other way, and never counts as sent
definitions: drop
start: 2024-03-04

Mon 09:00  ada  Consent Given    email
Mon 22:00  ada  Cart Viewed      items=2
           ada  -> dropped mail evening  quiet_hours
           ada  has told=no
Tue 10:00  ada  Cart Viewed      items=2
           ada  -> mail evening
           ada  has told=yes
Tue 11:00  ada  Cart Viewed      items=2
           ada  -> dropped mail evening  cap
           ada  has told=no
           ada  ? email  cap
