// Chapter 5: auxiliary classifiers.

export default {
  "auxiliary.title": "보조 분류기는 기울기 소실을 고칩니까?",
  "auxiliary.intro":
    "네트워크가 깊을수록 손실에서 첫 층까지 돌아가는 길이 길어지고, 걸음마다 곱해지는 기울기는 사라질 수 있습니다. 논문은 모듈 4a 와 4d 에 작은 분류기를 하나씩 답니다. 학습할 때 그 손실에 0.3 을 곱해 더하므로 기울기가 중간에서도 들어오고, 학습이 끝나면 떼어 냅니다. 노트도 논문도 그렇게 말합니다. 그래서 직접 측정했습니다. 배치 정규화가 없는 논문의 네트워크를 폭 4분의 1로 줄여, 56픽셀 손글씨 숫자로, 시드 세 개로, 두 분류기가 있을 때와 없을 때를 학습했습니다.",
  "auxiliary.figure": "보조 분류기가 있을 때와 없을 때의 층별 기울기 크기",
  "auxiliary.epoch": "에폭",
  "auxiliary.with": "보조 분류기 있음",
  "auxiliary.without": "없음",
  "auxiliary.norm": "기울기 크기의 중앙값",
  "auxiliary.chart": "에폭 {epoch} 의 층별 기울기 크기 중앙값. 보조 분류기가 있을 때와 없을 때이며, 보조 분류기는 4a 와 4d 에 있습니다",
  "auxiliary.now": "에폭 {epoch}: 돌아가는 길의 끝인 conv1 에서 기울기 크기는 보조 분류기가 있을 때 {with}, 없을 때 {without}입니다. 두 분류기 사이인 4c 에서는 {with4c}, {without4c}입니다.",
  "auxiliary.accuracy": "{epochs}에폭 뒤의 시험 정확도, 점 하나가 시드 하나",
  "auxiliary.dots": "보조 분류기가 있을 때의 정확도: {with}, 없을 때: {without}",
  "auxiliary.verdict":
    "<b>고친다는 증거는 보이지 않습니다.</b> He 초기화를 쓰면 어느 쪽에서도 기울기가 사라지지 않습니다. 첫 에폭에서 conv1 의 기울기는 보조 분류기가 있을 때 {with}, 없을 때 {without}로 조금 더 크지만, 3a 부터는 오히려 더 작습니다. {epochs}에폭 뒤의 정확도는 둘 사이보다 시드 사이에서 더 크게 다릅니다. 이것은 작은 네트워크의 작은 실험이므로, 다른 난수에서 출발한 2014년의 네트워크에 대해서는 아무것도 말해 주지 않습니다. 다만 깊은 네트워크라면 어디에든 분류기를 달기만 하면 낫는 것은 아니라는 점은 말해 줍니다. 논문의 저자들도 나중에는 이를 의심하여, 보조 분류기를 정칙화 수단으로 보았습니다(Szegedy 외 2016, 4절).",
  "auxiliary.table": "모든 숫자",
  "auxiliary.caption": "지금 보이는 에폭의 층별 기울기 크기 중앙값",
  "auxiliary.layer": "층",
  "auxiliary.source": "배치와 시드 세 개에 대한 중앙값이며 출처는 <code>benchmarks/aux_gradients.json</code> 입니다. <code>make bench-aux-gradients</code> 로 다시 잴 수 있습니다. 점선은 보조 분류기가 있는 곳입니다. 눈금은 모든 에폭에서 같습니다.",
};
