story: A wait counts from the moment the step is reached, whatever the clocks do
start: 2024-03-30
journeys: morning, day-later, before-visit, before-visit-now, before-visit-exit

# In the night to Sunday 31 March the clocks in London go from 1:00 to 2:00.
Sat 12:00  ada  Ticket Bought                        # 24 hours are 24 hours
Sat 12:00  ada  Wish Made        wish=rain
Sun 00:59  ada  -> nothing                           # 1:30 does not exist
Sun 02:00  ada  -> mail morning                      # the next that does
Sun 12:59  ada  -> nothing
Sun 13:00  ada  -> mail day-later
Mon 09:00  ada  Visit Booked     kind=skip  day=2024-04-10
2024-04-09 09:59  ada  -> nothing
2024-04-09 10:00  ada  -> mail before-visit  step=reminder
2024-04-11 09:59  ada  -> nothing
2024-04-11 10:00  ada  -> mail before-visit  step=thanks
2024-04-20 12:00  bob  Visit Booked  kind=skip  day=2024-04-20    # the reminder's time has passed: skipped
           bob  in journey before-visit at after
2024-04-21 10:00  bob  -> mail before-visit  step=thanks
           bob  Visit Booked     kind=now  day=2024-04-21
           bob  -> mail before-visit-now
           bob  Visit Booked     kind=exit  day=2024-04-21
           bob  not in journey before-visit-exit
+7d        bob  -> nothing

# On 27 October 1:30 comes twice: the first counts, and only it.
2024-10-26 12:00  cyd  Wish Made  wish=snow
2024-10-27 00:59  cyd  -> nothing
+31m       cyd  -> mail morning
+7d        cyd  -> nothing
