story: Somebody comes around the corner, and leaves by saying nothing
start: 2024-03-04
journeys: near-soho, left-market

Mon 09:00  ada  Consent Given      email
           ada  Location Reported  latitude=51.5131 longitude=-0.1311
           ada  -> nothing
           # Without consent nobody knows where she is.
Mon 10:00  ada  Consent Given      app location
           ada  Location Reported  latitude=51.5131 longitude=-0.1311
           ada  -> mail note
Mon 10:10  ada  Location Reported  latitude=51.5132 longitude=-0.1312
           ada  -> nothing
Tue 10:00  ada  Location Reported  latitude=51.5065 longitude=-0.0900
Tue 11:59  ada  -> nothing
Tue 12:00  ada  -> mail note
           # Two hours of silence, and she is not at the market any more.
Wed 10:00  ada  Location Reported  latitude=51.5065 longitude=-0.0900
Wed 10:30  ada  Consent Withdrawn  app location
           ada  Location Reported  latitude=51.5131 longitude=-0.1311
           ada  -> mail note
           # With her consent the place goes, and so she has left the market.
Thu 10:00  ada  -> nothing
