story: A coupon is mailed once, with its codes
start: 2011-03-07

Mon 09:00  ada  Consent Given   email
Mon 11:00  ada  Coupon Issued   code=SPRING-7F3K  ean=4006381333931  percent=15  until=2011-04-30
           ada  -> mail coupon  subject="Ada: 15 % off your next order"
