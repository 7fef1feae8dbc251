#A
@problemName P
@timeStamps true
@univariate true
@equalLength true
@classLabel true a b
@data
(0,1.5),(1,2.5):a
(0,1),(3,2):b
