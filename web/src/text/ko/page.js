// Title, navigation, and what several chapters say.

export default {
  "page.title": "안에서 들여다보는 GoogLeNet",
  "page.name": "GoogLeNet",
  "page.lede":
    "최초의 Inception 네트워크인 GoogLeNet에 대한 한 학생의 노트를, 그 안의 모든 것이 움직이도록 옮긴 페이지입니다. 슬라이더를 움직이면 계산이 따라오고, 이미지를 고르면 이 파일에 들어 있는 실제 네트워크가 그 이미지를 어떻게 처리하는지 보여 줍니다.",
  "page.skip": "첫 장으로 바로 가기",
  "page.chapters": "장",
  "page.footer":
    "<code>googlenet page</code> {version} 버전으로 만든 페이지입니다. 비용에 관한 숫자는 <code>googlenet.cost</code> 의 값과 같고, 확률은 PyTorch 와 1e-4 이내로 같습니다. 네트워크 연결이 필요 없으며 아무것도 보내지 않습니다. 아키텍처의 출처: Szegedy 외, <em>Going deeper with convolutions</em>, CVPR 2015. 옷 사진: Fashion-MNIST, Zalando SE, MIT 라이선스. 신호: GunPoint, UCR 아카이브.",
  "nav.size": "크기",
  "nav.compression": "1×1",
  "nav.module": "모듈",
  "nav.network": "네트워크",
  "nav.auxiliary": "보조 분류기",
  "nav.pretrained": "사전 학습",
  "nav.signals": "1-D",
  "nav.own": "나의 데이터",
  "picture.choose": "이미지",
  "picture.waking": "네트워크를 깨우는 중입니다 …",
  "hero.none": "이 페이지에는 네트워크에 보여 줄 이미지가 없습니다. <a href=\"#own\">나의 데이터</a>에서 이미지를 고르십시오.",
  "picture.says": "네트워크의 답은 <b>{label}</b>, 확률은 {share}입니다.",
  "picture.alt": "네트워크가 보는 이미지: {label}",
  "picture.own": "직접 고른 이미지",
  "hero.maps": "왼쪽부터 이미지, 그리고 각 모듈이 만들어 낸 특징 맵을 채널 평균으로 나타낸 것입니다. 낮은 곳은 어둡고 높은 곳은 밝으며 눈금은 맵마다 따로입니다. 맵은 점점 작아지고 채널은 점점 많아지며, 마지막에는 위치 평균과 선형 층 하나가 답을 정합니다.",
  "hero.map": "모듈 {module} 의 평균 맵, 한 변 {size}",
};
