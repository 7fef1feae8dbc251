#A
@problemName P
@timeStamps false
@univariate true
@equalLength true
@classLabel true a b
@data
1,2,3,4:a
2,3,?,5:b
