// Chapter 7: one dimension.

export default {
  "signals.title": "같은 생각을 1-D 데이터에도 쓸 수 있습니까?",
  "signals.intro":
    "노트는 이 물음으로 끝납니다. 신호에는 축이 하나뿐이므로 커널은 시간의 한 구간이 됩니다. 3×3 대신 탭 아홉 개입니다. 나머지는 그대로입니다. 길이가 다른 가지들을 나란히 두고, 그 앞에 1×1 을 두고, 채널을 이어 붙입니다. 여기에 있는 네트워크(<code>googlenet_1d</code>, 모듈 여섯 개, 네트워크 네 개를 나란히)는 GunPoint 를 배웠습니다. 권총집에서 총을 꺼내 겨누는 손(Gun)과 손가락으로 가리키기만 하는 손(Point)의 높이를 잰 신호입니다. 포인터로 새로 그리거나 슬라이더로 바꾸어 보면 어느 가지가 답하는지 볼 수 있습니다.",
  "signals.figure": "신호와 네트워크의 답, 그리고 어느 가지가 어디에서 답하는지",
  "signals.none": "이 페이지에는 네트워크에 보여 줄 신호가 없습니다. <a href=\"#own\">나의 데이터</a>에서 신호를 고르십시오.",
  "signals.example": "예",
  "signals.option": "{name}: {label}",
  "signals.channel": "그릴 채널",
  "signals.place": "봉우리의 자리",
  "signals.height": "봉우리의 높이",
  "signals.width": "봉우리의 너비",
  "signals.shift": "시간 이동",
  "signals.gain": "세기",
  "signals.reset": "원래의 예로",
  "signals.trace": "표본 {count}개의 신호. 바탕이 진할수록 그 구간이 답 {label} 에 더 많이 기여합니다",
  "signals.says": "네트워크의 답은 <b>{label}</b>, 확률은 {share}입니다.",
  "signals.known": "이 예의 클래스는 {label}입니다.",
  "signals.drawn": "직접 만든 신호입니다.",
  "signals.kernels": "포인터나 봉우리가 있는 곳에 놓은 모듈 {module} 의 커널, 실제 길이",
  "signals.branches": "어느 가지가 언제 답합니까?",
  "signals.table": "모든 모듈의 모든 가지: 시간에 따른 채널 평균",
  "signals.strips": "띠 하나는 첫 표본부터 마지막 표본까지이며, 한 가지의 채널 평균입니다. 조용하면 어둡고 답하면 밝습니다. 한 모듈의 띠들은 눈금이 같습니다.",
  "signals.contribute": "가지마다의 기여 계산하기",
  "signals.caption":
    "주황색 바탕: 그 구간이 답의 로짓에 더하는 양입니다(클래스 활성화 맵. 네트워크가 시간 평균과 선형 층 하나로 끝나므로 정확한 값입니다). 신호 아래의 막대는 첫 모듈의 커널입니다.",
  "signals.answer":
    "<b>쓸 수 있습니다.</b> UCR 아카이브의 48개 세트에서 이 네트워크 네 개와 그 곁의 커널이 내는 평균 시험 정확도는 0.891 이며, 발표된 InceptionTime 의 값은 0.854 입니다. 48개를 모두 학습하는 데 코어 하나로 한 시간이 걸리고, 같은 코어에서 InceptionTime 은 GunPoint 하나에만 네트워크의 133배의 시간이 듭니다. 바꾸어야 했던 것은 두 가지입니다. 긴 커널은 읽을 채널이 적은 곳에만 두고, 더 안쪽에서는 팽창과 짧아진 신호로 넓게 봅니다. 스크립트는 <code>benchmarks/ucr.py</code>, 표는 <code>docs/signals.md</code> 에 있습니다.",
};
