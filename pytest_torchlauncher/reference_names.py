"""Every name that the Accuracy Checker knows, by kind, so that errors tell "unknown" from "not here yet"."""

from __future__ import annotations

from typing import Final

__all__ = ["FRAMEWORKS", "REFERENCE_NAMES"]

FRAMEWORKS: Final = frozenset(
    "caffe dlsdk dummy g-api mxnet onnx_runtime opencv openvino paddle_paddle pytorch tf tf2 tf_lite".split()
)

REFERENCE_NAMES: Final[dict[str, frozenset[str]]] = {
    "adapters": frozenset(
        """
        action_detection action_recognition_with_condition age_gender age_recognition anomaly_segmentation
        aocr attribute_classification background_matting background_matting_with_pha_and_fgr
        beam_search_decoder bert_classification bert_ner bert_question_answering
        bert_question_answering_embedding bert_sentence_embedding bidaf_question_answering
        brain_tumor_segmentation class_agnostic_detection classification common_language_modeling
        craft_text_detection ctc_beam_search_decoder ctc_beam_search_decoder_with_lm ctc_greedy_decoder
        ctc_greedy_search_decoder ctdet ctpn_text_detection detr dna_seq_beam_search
        dna_seq_crf_beam_search duc_segmentation dumb_decoder east_text_detection face_detection
        face_detection_refinement face_person_detection face_recognition_quality_assessment faceboxes
        facial_landmarks_detection fast_ctc_beam_search_decoder_with_lm faster_rcnn_onnx gaze_estimation
        gva_classification gva_detection head_detection head_pose hit_ratio_adapter human_pose_estimation
        human_pose_estimation_3d human_pose_estimation_ae human_pose_estimation_hrnet
        human_pose_estimation_openpose image_processing inpainting kaldi_feat_regression
        kaldi_latgen_faster_mapped landmarks_regression lpr mask_rcnn mask_rcnn_with_text
        mask_to_binary_classification mixed mono_depth mtcnn_p multi_output_regression
        multi_super_resolution nanodet narnmt nmt noise_suppression palm_detection person_attributes
        person_vehicle_detection person_vehilce_detection_refinement pixel_link_text_detection ppdetection
        ppocr ppocr_det prnet pwcnet pytorch_ssd_decoder quantiles_predictor regression reid retinaface
        retinaface_pytorch retinanet retinanet_multihead retinanet_tf2 rfcn_class_agnostic
        salient_object_detection segmentation segmentation_one_class simple_decoder
        single_human_pose_estimation ssd ssd_multilabel ssd_mxnet ssd_onnx ssd_tf stacked_hourglass
        style_transfer super_resolution super_resolution_yuv tf_object_detection tiny_yolo_v1 trimap
        two_stage_detection ultra_lightweight_face_detection vehicle_attributes wav2vec xml_detection
        yolact yolo26 yolo_v2 yolo_v3 yolo_v3_onnx yolo_v3_tf2 yolo_v5 yolof yolor yolov8_detection yolox
        yoloxs
        """.split()
    ),
    "converters": frozenset(
        """
        ade20k ade20k_image_translation aflw2000_3d amazon_product_data antispoofing background_matting
        background_matting_sequential bentham_lines bert_tf_record bert_xnli_tf_record brats brats_numpy
        camvid camvid_32 cifar cityscapes clip_action_recognition cls_dataset_folder cluttered_mnist
        cmu_panoptic_keypoints coco_facial_landmarks cola common_object_detection
        common_semantic_segmentation common_text_recognition conll_ner continuous_clip_action_recognition
        criteo custom_text_classification cvat_age_gender cvat_attributes_recognition cvat_facial_landmarks
        cvat_hand_landmark cvat_multilabel_binary_attributes_recognition cvat_object_detection
        cvat_palm_detection cvat_person_detection_action_recognition cvat_pose_estimation
        cvat_text_recognition detection_opencv_storage dna_sequence electricity face_recognition_bin
        fashion_mnist feature_regression ge_tiling hpatches_with_kornia_feature icdar13_recognition
        icdar_detection im2latex_formula_recognition image_generation image_processing image_retrieval
        imagenet imdb inpainting k_space_mri kaldi_asr_data kaldi_feat_regression kitti_2d_detection
        kondate_nakayosi_recognition label_me_detection label_me_segmentation lfw librispeech
        lmdb_text_recognition_database lpr_txt malware_classification_converter mapillary_20
        mapillary_vistas market1501_reid mars mnist mnist_csv mnli movie_lens_converter mpii
        mrlEyes_2018_01 mrpc mscoco_detection mscoco_keypoints mscoco_mask_rcnn mscoco_segmentation
        mscoco_single_keypoints multi_feature_regression multi_frame_super_resolution
        multi_target_super_resolution mvtec noise_suppression_dataset nyu_depth_v2 open_images_detection
        parametric_image_processing parti_prompts place_recognition qnli qqp rctw_preprocessed redweb rte
        salient_object_detection sample see_in_the_dark sentence_similarity smartlab_action_recognition
        sound_classification speaker_reidentification squad squad_bidaf squad_emb sst-2 style_transfer
        super_resolution super_resolution_dir_based syg_detection tacotron2_data_converter
        unicode_character_recognition urlnet veri776_reid vgg_face video_background_matting vimeo90k
        vimeo90k_interp voc_detection voc_segmentation wflw wgs_pickle_records wgs_tf_records wider
        wikitext2raw wmt wnli xnli yolo_labeling
        """.split()
    ),
    "readers": frozenset(
        """
        annotation_features_extractor byte_reader combine_reader dicom_reader disk_features_extractor
        flac_reader json_reader kaldi_ark_reader lmdb_reader ncf_data_reader nifti_reader numpy_bin_reader
        numpy_dict_reader numpy_reader numpy_txt_reader opencv_capture opencv_imread pickle_reader
        pillow_imread rawpy scipy_imread skimage_imread tf_imread wav_reader
        """.split()
    ),
    "preprocessing": frozenset(
        """
        add_batch alpha audio_dct audio_dither audio_normalization audio_patches audio_preemph
        audio_samples_to_float32 audio_spec_dither audio_spectrogram audio_splice audio_to_mel_spectrogram
        audio_triangle_filtering auto_resize bgr_to_gray bgr_to_lab bgr_to_nv12 bgr_to_rgb bgr_to_ycrcb
        bgr_to_yuv candidate_crop centernet_affine_transform clip_audio clip_cepstrum context_window
        corner_crop crop crop3d crop_brats crop_image_with_padding crop_or_pad crop_rect custom_mask
        decode_by_sentence_piece_bpe_tokenizer decode_by_vocabulary extend_around_rect
        face_detection_image_pyramid fft flip frame_signal_overlap free_form_mask hanning_window
        jpeg_compression normalization normalize3d normalize_brats nv12_to_bgr nv12_to_rgb
        object_crop_with_scale one_hot_encoding opencv pack_cepstrum pack_raw_image pad_with_eos padding
        pillow point_alignment pyramid rect_mask remove_dc_and_dither resample_audio resize resize3d
        rgb_to_bgr rgb_to_gray rgb_to_nv12 rgb_to_ycrcb rgb_to_yuv select_channel similarity_transform_box
        swap_modalities tf tf_convert_image_dtype tiling transformed_crop_with_auto_scale transpose trim
        trimap truncate_bucket warp_affine
        """.split()
    ),
    "postprocessing": frozenset(
        """
        align_prediction_depth_map area_range area_ratio argmax_segmentation_mask aspect_ratio bgr_to_gray
        bidaf_extract_answers_tokens cast_to_int class_aware_nms clip_boxes clip_points
        clip_segmentation_mask colorization_recovery corner_crop_image correct_yolo_v2_boxes crop_image
        crop_or_pad crop_padded_prediction crop_segmentation_mask diou_nms encode_segmentation_mask
        extend_segmentation_mask extract_answers_tokens faster_rcnn_postprocessing_resize filter
        hand_landmarks heatmap2keypoints height_range interpolation invalid_boxes invert_mask is_empty
        labels min_confidence min_max_normalization min_max_normalize_recommendation min_visibility nms
        normalize_boxes normalize_landmarks_points normalize_salience_map pad_signal
        remove_brats_prediction_padding remove_repeats rescale_mask resize resize_prediction_boxes
        resize_prediction_depth_map resize_segmentation_mask resize_style_transfer resize_super_resolution
        rgb_to_gray segmentation_prediction_resample sentence_similarity_pooling shift shift_labels
        sigmoid_normalize_recommendation soft_nms sr_image_recovery time_series_denormalize to_lower_case
        top_k transform_brats_prediction translate_3d_poses weighted_nms width_range zoom_segmentation_mask
        """.split()
    ),
    "metrics": frozenset(
        """
        accuracy accuracy_per_class acer_score angle_error attribute_accuracy attribute_precision
        attribute_recall binary_classification bleu cer char_classification character_recognition_accuracy
        classification classification_f1-score clip_accuracy clip_classification clip_score cmc
        coco_keypoints_precision coco_keypoints_recall coco_orig_keypoints_precision coco_orig_precision
        coco_orig_recall coco_orig_segm_precision coco_orig_segm_recall coco_precision coco_recall
        coco_segm coco_segm_precision coco_segm_recall complex_regression detection_accuracy detection_coco
        detection_voc dice dice_index dice_oar3d dice_unet3d dna_seq_accuracy epe exact_match f1 f1-score
        face_recognition_tafa_pair_metric fid focused_text_hmean focused_text_precision focused_text_recall
        frequency_weighted_accuracy hit_ratio im2latex_match_images_metric inception_score
        incidental_text_hmean incidental_text_precision incidental_text_recall instance_segmentation ioa
        iou label_level_recognition_accuracy localization_recall log10_error log_loss lpips mad mae
        mae_on_interval map mape matches_homography mean_accuracy mean_iou metthews_correlation_coef
        miss_rate mpjpe_multiperson mse mse_on_interval mse_with_mask multi_accuracy multi_precision
        multi_recall ndcg ner_accuracy ner_f_score ner_precision ner_recall nme normalised_quantile_loss
        normalized_embedding_accuracy normed_error pairwise_accuracy pairwise_accuracy_subsets pckh
        pearson_correlation_coef per_point_normed_error perplexity point_regression psnr psnr-b
        qa_embedding_accuracy recall regression reid_map relative_l2_error rmse rmse_on_interval
        roc_auc_score salience_e-measure salience_f-measure salience_mae salience_s-measure
        score_class_comparison segmentation segmentation_accuracy ser sisdr spatial_gradient
        spearman_correlation_coef ssim url_classification_score vif wer youtube_faces_accuracy
        """.split()
    ),
}
