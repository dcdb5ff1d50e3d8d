import type { Reasons } from './problems.ts';

/** What the API's refusals mean, in Arabic. */
export const problemsAr: Reasons = {
  // The message alone says what is wrong: it is given as it is, in its own direction.
  invalid_request: ({ message }) => `لم يُقبل الطلب: \u2068${message}\u2069`,
  invalid_json: 'لم يُقبل الطلب، فهو ليس JSON صحيحًا.',
  unknown_language: 'هذه اللغة غير معروفة.',
  unauthenticated: 'لا بد من تسجيل الدخول، فالمفتاح ناقص أو لم يعد صالحًا.',
  cross_site: 'جاء هذا الطلب من صفحة موقع آخر، فلم يُقبل.',
  forbidden: 'يمكنك قراءة هذا لأن مقرره مشترك معك، ولا يغيره إلا صاحبه.',
  not_found: 'لا يوجد شيء كهذا هنا، أو أنه ليس لك.',
  method_not_allowed: 'لا يمكن فعل ذلك هنا.',
  request_timeout: 'وصل الطلب ببطء شديد ولم يُحفظ منه شيء. حاول ثانية.',
  not_ready: 'لم يُصنع هذا الجزء بعد.',
  stage_failed: 'فشلت الخطوة التي تصنع هذا الجزء.',
  stage_skipped: 'تُركت هذه الخطوة، مثلًا لأن لا أحد يتكلم في التسجيل.',
  lecture_cancelled: 'أُلغيت المحاضرة قبل صنع هذا الجزء.',
  limit_reached: 'بلغ العدد أقصى حد مسموح به.',
  version_mismatch: 'تغيّر هذا منذ أن قرأته. اقرأه من جديد ثم قرر.',
  upload_unfinished: 'لم تصل كل أجزاء الملف بعد.',
  offset_mismatch: 'لا يبدأ هذا الجزء حيث انتهى ما أُرسل.',
  upload_gone: 'لم يعد ما أُرسل من هذا الملف محفوظًا. أرسله من البداية.',
  tus_version: 'لا يعرف الخادم هذه الصيغة من الإرسال.',
  upload_locked: 'يُرسَل هذا الملف الآن من مكان آخر.',
  upload_incomplete: 'انقطع الاتصال قبل وصول الملف كله، ولم يُحفظ منه شيء.',
  file_missing: 'لا يوجد ملف في هذا الطلب.',
  file_empty: 'الملف فارغ.',
  file_too_large: 'الملف أكبر من المسموح به.',
  body_too_large: 'الطلب أكبر من المسموح به.',
  unsupported_content_type: 'هذا النوع من المحتوى غير مقبول هنا.',
  range_not_satisfiable: 'يقع هذا الموضع خارج الملف.',
  headers_too_large: 'رؤوس الطلب أكبر من المسموح بها.',
  not_media: 'الملف ليس تسجيلًا يمكن قراءته.',
  no_audio: 'لا صوت في هذا الملف.',
  unsupported_media: 'هذا النوع من الملفات غير مقبول، أو أن قنوات صوته أكثر مما يجب.',
  media_too_long: 'التسجيل أطول من المسموح به.',
  unknown_course: 'لا يوجد بين مقرراتك مقرر كهذا.',
  idempotency_mismatch: 'أُرسل المفتاح نفسه من قبل بمحتوى آخر.',
  callback_refused: 'لا يُرسَل شيء إلى هذا العنوان.',
  media_damaged: 'التسجيل تالف، ولم يمكن قراءة شيء من صوته.',
  too_many_lectures: 'محاضرات كثيرة لم تكتمل بعد، فلا تُستقبل أخرى الآن. حاول بعد قليل.',
  too_many_uploads: 'ملفات كثيرة لم تصبح محاضرات بعد، فلا يُبدأ بآخر. حاول بعد قليل.',
  queue_full: 'طلبات كثيرة تنتظر الآن. حاول بعد قليل.',
  too_many_requests: 'طلبات كثيرة في وقت قصير. حاول بعد قليل.',
  cancelled: 'أُوقف هذا العمل.',
  superseded: 'حلّت محاولة أحدث محل هذه.',
  internal: 'حدث خطأ عندنا.',
  artifact_lost: 'ضاع شيء مما صُنع من هذه المحاضرة أو تلف. اطلب صنعه من جديد.',
  queue_unavailable: 'لا يمكن الوصول إلى Redis الآن. حاول بعد قليل.',
  storage_unavailable: 'لا يمكن القراءة من المخزن أو الكتابة فيه الآن. حاول بعد قليل.',
  newer_version: 'كتبت هذا نسخة أحدث من StudyMate. لم يضع شيء؛ حاول بعد قليل.',
  identity_unavailable: 'لا يمكن التحقق من هويتك الآن. حاول بعد قليل.',
  storage_full: 'امتلأ القرص، فلا يُحفظ شيء جديد.',
  model_loading: 'ما زال النموذج يُحمَّل. حاول بعد قليل.',
  model_missing: 'ملفات النموذج غير موجودة في مكانها.',
  model_damaged: 'أحد ملفات النموذج تالف.',
  model_unreachable: 'يجب تنزيل النموذج أولًا، ولا يمكن الوصول إلى مصدره الآن.',
  model_too_large: 'يحتاج النموذج إلى ذاكرة أكثر مما بقي.',
  model_crashed: 'توقف النموذج في أثناء العمل. حاول ثانية.',
  decoder_crashed: 'توقف البرنامج الذي يقرأ التسجيلات في أثناء العمل. حاول ثانية.',
  worker_crashed: 'توقف العامل مرة بعد مرة في هذا العمل، فلا يُحاوَل ثانية حتى يُطلب.',
  no_worker: 'لا يعمل أي عامل يستطيع هذا الآن. حاول بعد قليل.',
  unavailable: 'لا يجيب StudyMate الآن. حاول بعد قليل.',
  timeout: 'استغرق العمل وقتًا أطول مما يجوز.',
};

const toSeconds = (seconds: number | undefined) => (seconds === undefined ? '' : ` ${Math.round(seconds)} ث`);

/** What is said about a recording. */
export const warningsAr: Reasons = {
  incomplete_media: ({ decodedSeconds, declaredSeconds }) =>
    declaredSeconds === undefined
      ? `ينتهي التسجيل في وسط صوته؛ قُرئ منه${toSeconds(decodedSeconds)}.`
      : `التسجيل ناقص أو تالف: قُرئ${toSeconds(decodedSeconds)} من${toSeconds(declaredSeconds)}.`,
  damaged_media: 'لم يمكن قراءة بعض ما في داخل التسجيل؛ وُضع صمت مكانه لتبقى الأوقات صحيحة.',
  no_speech: 'لا يتكلم أحد في التسجيل، فلا شيء يُدرس فيه.',
  no_clear_speech: 'الكلمات القليلة التي سُمعت ليست كلامًا على الأرجح، فلا شيء يُدرس فيه.',
};
